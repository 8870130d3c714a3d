/* Scratch partitions in words: what was written and read, and what came back wrong. */
#include "../storage/wrong_block.h"
#include "events.h"
#include "report.h"

#define FROM_TEXT 96u

static void log_wrong_block(const struct wrong_block *wrong, uint64_t number, uint32_t cpu,
                            const char *exit_name, const char *from)
{
    struct log_line line;
    log_start(&line, "finding");
    log_number(&line, "n", number);
    log_number(&line, "cpu", cpu);
    log_text(&line, "exit", exit_name);
    log_number(&line, "round", wrong->request);
    log_number(&line, "generation", wrong->generation);
    log_text(&line, "component", "storage");
    log_text(&line, "class", "storage");
    log_text(&line, "registers", "none");
    log_text(&line, "bits", "none");
    log_number(&line, "scratch", wrong->partition);
    log_number(&line, "block", wrong->block);
    log_number(&line, "words", wrong->words);
    log_text(&line, "from", from);
    log_text(&line, "signature", "none");
    log_end(&line);
}

static void log_word(const struct wrong_block *wrong, uint32_t n, uint64_t number, const char *from)
{
    struct log_line line;
    log_start(&line, "lane");
    log_number(&line, "n", number);
    log_text(&line, "register", "block");
    log_number(&line, "lane", wrong->word[n].number);
    log_hex(&line, "want", wrong->word[n].want);
    log_hex(&line, "got", wrong->word[n].got);
    log_text(&line, "from", from);
    log_end(&line);
}

void event_wrong_block(const struct wrong_block *wrong, uint64_t number, uint32_t cpu,
                       const char *exit_name, bool told_before)
{
    char from[FROM_TEXT];
    struct text text;
    text_start(&text, from, sizeof(from));
    wrong_block_from(wrong, &text);
    log_wrong_block(wrong, number, cpu, exit_name, from);
    for (uint32_t n = 0; n < wrong->words && n < WRONG_WORDS; n++)
        log_word(wrong, n, number, from);
    if (!told_before)
        report_say(" ");
    report_say("FINDING %lu: scratch %u, block %lu, %u words of 64 bits: storage (%s)", number,
               wrong->partition, wrong->block, wrong->words, from);
    for (uint32_t n = 0; n < wrong->words && n < WRONG_WORDS && !told_before; n++)
        report_say("  word %u expected %016lx, found %016lx", wrong->word[n].number,
                   wrong->word[n].want, wrong->word[n].got);
    if (!told_before)
        report_say_wrapped(2, wrong_block_meaning());
}

static void tell_requests(uint32_t number, const struct scratch_result *result, const char *of,
                          const struct scratch_requests *requests, uint64_t milliseconds)
{
    uint64_t kib_per_second = requests->bytes / 1024 * 1000 / (milliseconds ? milliseconds : 1);
    struct log_line line;
    log_start(&line, "storage");
    log_number(&line, "n", number);
    log_text(&line, "of", of);
    log_number(&line, "block_bytes", result->block_bytes);
    log_number(&line, "blocks", result->blocks);
    log_text(&line, "by", result->by);
    log_number(&line, "requests", requests->count);
    log_number(&line, "bytes", requests->bytes);
    log_number(&line, "kib_per_second", kib_per_second);
    log_number(&line, "median_us", requests->median_us);
    log_number(&line, "worst_us", requests->worst_us);
    log_number(&line, "in_flight", requests->most);
    log_number(&line, "wrong", result->wrong);
    log_text(&line, "failed", result->failed ? "yes" : "no");
    log_end(&line);
    report_say("           %s: %lu KiB in %lu requests, %lu KiB/s, median %lu us, worst %lu us", of,
               requests->bytes / 1024, requests->count, kib_per_second, requests->median_us,
               requests->worst_us);
}

void event_storage(uint32_t number, const struct scratch_result *result, uint64_t milliseconds)
{
    report_say("Scratch %u  %s, %lu wrong blocks%s", number,
               result->waiting ? "the boot vCPU waiting" : "in flight meanwhile", result->wrong,
               result->failed ? "; an error ended it" : "");
    tell_requests(number, result, "write", &result->writes, milliseconds);
    tell_requests(number, result, "read", &result->reads, milliseconds);
}
