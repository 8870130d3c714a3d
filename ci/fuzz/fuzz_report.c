/* Words of firmware, hypervisor and operator in the log and the text: the input is the words, ended
 * by zeros. */
#include "../../efi/core/machine/machine.h"
#include "../../efi/core/report/events.h"
#include "fuzz.h"
#include <string.h>

static struct fuzz_input input;

static void take_words(char *to, size_t size)
{
    size_t length = 0;
    char c = 1;
    while (c && length + 1 < size && input.size > 0) {
        fuzz_take(&input, &c, 1);
        to[length++] = c;
    }
    to[length] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine machine;
    static char words[2000];
    fuzz_watch_report();
    input = (struct fuzz_input){data, size};
    memset(&machine, 0, sizeof(machine));
    machine.hypervisor.name = "unknown";
    take_words(machine.cpu.vendor, sizeof(machine.cpu.vendor));
    take_words(machine.cpu.brand, sizeof(machine.cpu.brand));
    take_words(machine.hypervisor.signature, sizeof(machine.hypervisor.signature));
    take_words(machine.firmware, sizeof(machine.firmware));
    take_words(machine.system, sizeof(machine.system));
    event_machine(&machine);
    take_words(words, sizeof(words));
    event_start(&(struct run_identity){.version = "0", .commit = "0"}, machine.firmware, words);
    take_words(words, sizeof(words));
    event_notice(words);
    event_error(words);
    event_skip("disk", NULL, words);
    return 0;
}
