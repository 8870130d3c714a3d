/* Scratch partitions without firmware: what a block holds, whose a wrong one is, what the first
 * block has to say, and which blocks come next. */
#include "../../efi/core/storage/block_pattern.h"
#include "../../efi/core/storage/latency.h"
#include "../../efi/core/storage/ring.h"
#include "../../efi/core/storage/signature.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BLOCK_BYTES 512u
#define WORDS       (BLOCK_BYTES / 8)

static const struct block_key key = {.run = 0xd139, .vcpu = 3, .generation = 5};

/* The origin of block 77 of generation 5, which holds these words. */
static struct wrong_block wrong_of(const uint64_t *words)
{
    struct wrong_block wrong;
    assert_false(block_compare(words, BLOCK_BYTES, &key, 77, &wrong));
    assert_int_equal(wrong.block, 77);
    assert_int_equal(wrong.generation, 5);
    return wrong;
}

static void what_was_written_is_right_and_nothing_else_is(void **state)
{
    (void)state;
    uint64_t words[WORDS], others[WORDS];
    struct wrong_block wrong;
    const struct block_key keys[] = {{0xd139, 3, 6}, {0xd139, 4, 5}, {0xd138, 3, 5}};
    block_fill(words, BLOCK_BYTES, &key, 77);
    assert_true(block_compare(words, BLOCK_BYTES, &key, 77, &wrong));
    for (size_t n = 0; n < sizeof(keys) / sizeof(keys[0]); n++) {
        block_fill(others, BLOCK_BYTES, &keys[n], 77);
        for (size_t word = 0; word < WORDS; word++)
            assert_true(others[word] != words[word]);
    }
    block_fill(others, BLOCK_BYTES, &key, 78);
    for (size_t word = 0; word < WORDS; word++)
        assert_true(others[word] != words[word]);
    assert_false(block_compare(words, BLOCK_BYTES, &key, 78, &wrong));
    for (size_t one = 0; one < WORDS; one++)
        for (size_t other = 0; other < one; other++)
            assert_true(words[one] != words[other]);
}

static void each_wrong_bit_is_found(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    block_fill(words, BLOCK_BYTES, &key, 77);
    for (uint32_t bit = 0; bit < BLOCK_BYTES * 8; bit++) {
        words[bit / 64] ^= UINT64_C(1) << bit % 64;
        struct wrong_block wrong = wrong_of(words);
        assert_int_equal(wrong.words, 1);
        assert_int_equal(wrong.word[0].number, bit / 64);
        assert_true((wrong.word[0].want ^ wrong.word[0].got) == UINT64_C(1) << bit % 64);
        assert_int_equal(wrong.origin, ORIGIN_BIT_FLIP);
        words[bit / 64] ^= UINT64_C(1) << bit % 64;
    }
}

static void a_write_that_was_lost_is_stale(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    struct block_key before = key;
    before.generation = 4;
    block_fill(words, BLOCK_BYTES, &before, 77);
    struct wrong_block wrong = wrong_of(words);
    assert_int_equal(wrong.words, WORDS);
    assert_int_equal(wrong.origin, ORIGIN_STALE);
    assert_int_equal(wrong.from_generation, 4);
}

static void a_block_that_went_elsewhere_is_named(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    const uint64_t blocks[] = {0, 76, 78, (UINT64_C(1) << 47) - 1};
    for (size_t n = 0; n < sizeof(blocks) / sizeof(blocks[0]); n++) {
        block_fill(words, BLOCK_BYTES, &key, blocks[n]);
        struct wrong_block wrong = wrong_of(words);
        assert_int_equal(wrong.origin, ORIGIN_SWAPPED);
        assert_true(wrong.from_block == blocks[n]);
        assert_int_equal(wrong.from_generation, 5);
    }
}

static void another_run_is_named(void **state)
{
    (void)state;
    uint64_t words[WORDS];
    const struct block_key other = {.run = 0x1234, .vcpu = 0, .generation = 9};
    block_fill(words, BLOCK_BYTES, &other, 5);
    struct wrong_block wrong = wrong_of(words);
    assert_int_equal(wrong.origin, ORIGIN_OTHER_RUN);
    assert_int_equal(wrong.from_run, 0x1234);
    assert_int_equal(wrong.from_block, 5);
    assert_int_equal(wrong.from_generation, 9);
}

static void of_a_torn_block_the_part_that_is_wrong_is_named(void **state)
{
    (void)state;
    uint64_t words[WORDS], before[WORDS];
    struct block_key old = key;
    old.generation = 4;
    block_fill(words, BLOCK_BYTES, &key, 77);
    block_fill(before, BLOCK_BYTES, &old, 77);
    memcpy(words + 32, before + 32, BLOCK_BYTES - 32 * 8);
    struct wrong_block wrong = wrong_of(words);
    assert_int_equal(wrong.words, WORDS - 32);
    assert_int_equal(wrong.word[0].number, 32);
    assert_int_equal(wrong.word[3].number, 35);
    assert_int_equal(wrong.origin, ORIGIN_STALE);
}

static void zeros_and_what_nobody_wrote_are_told_apart(void **state)
{
    (void)state;
    uint64_t words[WORDS] = {0};
    assert_int_equal(wrong_of(words).origin, ORIGIN_ZEROED);
    memset(words, 0x5a, sizeof(words));
    assert_int_equal(wrong_of(words).origin, ORIGIN_FOREIGN);
}

static void sign(uint8_t block[SIGNATURE_BYTES], const char *line)
{
    for (uint32_t at = 0; at < SIGNATURE_BYTES; at += 64) {
        char text[65];
        (void)snprintf(text, sizeof(text), "%-63.63s\n", line);
        memcpy(block + at, text, 64);
    }
}

static void a_signature_is_right_byte_for_byte_or_none(void **state)
{
    (void)state;
    uint8_t block[SIGNATURE_BYTES];
    sign(block, "zmmtest scratch partition, version 1, bytes=25165824");
    assert_null(signature_wrong(block, 25165824));
    assert_string_equal(signature_wrong(block, 25165825),
                        "its signature is of another size or version");
    for (uint32_t n = 0; n < SIGNATURE_BYTES; n++) {
        block[n] ^= 1;
        assert_string_equal(signature_wrong(block, 25165824), "its signature is torn");
        block[n] ^= 1;
    }
    for (uint32_t n = 64; n < SIGNATURE_BYTES; n += 64) {
        uint8_t torn[SIGNATURE_BYTES] = {0};
        memcpy(torn, block, n);
        assert_string_equal(signature_wrong(torn, 25165824), "its signature is torn");
    }
    memset(block, 0, sizeof(block));
    assert_string_equal(signature_wrong(block, 25165824), "its first block has no signature");
    sign(block, "zmmtest scratch partition, version 2, bytes=25165824");
    assert_string_equal(signature_wrong(block, 25165824),
                        "its signature is of another size or version");
}

/* --- the ring --- */

static bool overlap(const struct ring *ring, const struct ring_range *one,
                    const struct ring_range *other)
{
    uint64_t first = ring_block(ring, one->at), second = ring_block(ring, other->at);
    return first < second + other->blocks && second < first + one->blocks;
}

/* What the disk would hold: the generation of each block; 0: nobody knows. */
#define RING_BLOCKS 100u
struct model {
    struct ring ring;
    uint64_t held[RING_BLOCKS];
    uint64_t written[RING_BLOCKS], read[RING_BLOCKS]; /* how often */
};

static void begins_only_what_it_may(const struct model *model, uint32_t slot)
{
    const struct ring *ring = &model->ring;
    const struct ring_range *range = &ring->flight[slot];
    assert_true(range->blocks > 0);
    assert_true(ring_block(ring, range->at) + range->blocks <= RING_BLOCKS);
    for (uint32_t other = 0; other < RING_SLOTS; other++)
        if (other != slot && ring->flight[other].kind != RING_FREE)
            assert_false(overlap(ring, range, &ring->flight[other]));
    for (uint32_t n = 0; range->kind == RING_READ && n < range->blocks; n++)
        assert_int_equal(model->held[ring_block(ring, range->at) + n],
                         ring_generation(ring, range->at));
}

static void ends(struct model *model, uint32_t slot, bool good)
{
    struct ring_range range = model->ring.flight[slot];
    uint64_t block = ring_block(&model->ring, range.at);
    uint64_t generation = ring_generation(&model->ring, range.at);
    for (uint32_t n = 0; n < range.blocks; n++) {
        if (range.kind == RING_WRITE) {
            model->held[block + n] = good ? generation : 0;
            model->written[block + n]++;
        } else {
            model->read[block + n]++;
        }
    }
    assert_true(ring_end(&model->ring, slot, good));
}

/* Requests of all sizes begin and end in any order; one write in `fails` fails, 0: none. */
static void go_on(struct model *model, uint32_t steps, uint32_t fails)
{
    uint32_t random = 12345;
    ring_start(&model->ring, RING_BLOCKS);
    for (uint32_t step = 0; step < steps; step++) {
        random = random * 1664525 + 1013904223;
        uint32_t slot = random >> 16 & (RING_SLOTS - 1), most = 1 + (random >> 20) % 9;
        if (model->ring.flight[slot].kind != RING_FREE)
            ends(model, slot, !fails || (random >> 24) % fails);
        else if (ring_begin(&model->ring, slot, ring_next(&model->ring), most))
            begins_only_what_it_may(model, slot);
    }
}

static void reads_are_of_what_is_there_and_come_to_all(void **state)
{
    (void)state;
    struct model model = {0};
    go_on(&model, 20000, 0);
    assert_true(ring_generation(&model.ring, model.ring.read_at) > 50);
    for (uint32_t n = 0; n < RING_BLOCKS; n++)
        assert_true(model.read[n] + 1 >= model.written[n] && model.read[n] <= model.written[n]);
}

static void what_a_failed_write_left_is_not_read(void **state)
{
    (void)state;
    struct model model = {0};
    go_on(&model, 20000, 7);
    assert_true(ring_generation(&model.ring, model.ring.read_at) > 50);
}

static void too_many_failed_writes_are_the_end(void **state)
{
    (void)state;
    struct ring ring;
    ring_start(&ring, 1000);
    for (uint32_t n = 0; n < RING_UNKNOWN; n++) {
        assert_true(ring_begin(&ring, 0, RING_WRITE, 1));
        assert_true(ring_end(&ring, 0, false));
    }
    assert_true(ring_begin(&ring, 0, RING_WRITE, 1));
    assert_false(ring_end(&ring, 0, false));
}

static void reads_and_writes_are_in_flight_and_their_distance_varies(void **state)
{
    (void)state;
    struct ring ring;
    uint64_t least = UINT64_MAX, most = 0;
    ring_start(&ring, 1000);
    for (uint32_t step = 0; step < 10000; step++) {
        uint32_t slot = step % 4;
        if (ring.flight[slot].kind != RING_FREE)
            assert_true(ring_end(&ring, slot, true));
        enum ring_kind kind = ring_next(&ring);
        if (!ring_begin(&ring, slot, kind, 5))
            assert_true(ring_begin(&ring, slot, kind == RING_READ ? RING_WRITE : RING_READ, 5));
        if (step < 100)
            continue;
        assert_true(ring_count(&ring, RING_WRITE) > 0 && ring_count(&ring, RING_READ) > 0);
        uint64_t distance = ring.write_at - ring.read_at;
        least = distance < least ? distance : least;
        most = distance > most ? distance : most;
    }
    assert_true(least < 130);
    assert_true(most > 740 && most <= 1000);
}

static void the_median_is_of_the_latest_and_the_worst_of_all(void **state)
{
    (void)state;
    static struct latency latency;
    assert_int_equal(latency_median(&latency), 0);
    latency_add(&latency, 9);
    assert_int_equal(latency_median(&latency), 9);
    for (uint64_t n = 1; n <= 3; n++)
        latency_add(&latency, n);
    assert_int_equal(latency_median(&latency), 3); /* of 1 2 3 9 */
    latency_add(&latency, 5000000000);
    for (uint32_t n = 0; n < LATENCIES_KEPT; n++)
        latency_add(&latency, 7);
    assert_int_equal(latency_median(&latency), 7);
    assert_true(latency.worst == 5000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_right_and_nothing_else_is),
        cmocka_unit_test(each_wrong_bit_is_found),
        cmocka_unit_test(a_write_that_was_lost_is_stale),
        cmocka_unit_test(a_block_that_went_elsewhere_is_named),
        cmocka_unit_test(another_run_is_named),
        cmocka_unit_test(of_a_torn_block_the_part_that_is_wrong_is_named),
        cmocka_unit_test(zeros_and_what_nobody_wrote_are_told_apart),
        cmocka_unit_test(a_signature_is_right_byte_for_byte_or_none),
        cmocka_unit_test(reads_are_of_what_is_there_and_come_to_all),
        cmocka_unit_test(what_a_failed_write_left_is_not_read),
        cmocka_unit_test(too_many_failed_writes_are_the_end),
        cmocka_unit_test(reads_and_writes_are_in_flight_and_their_distance_varies),
        cmocka_unit_test(the_median_is_of_the_latest_and_the_worst_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
