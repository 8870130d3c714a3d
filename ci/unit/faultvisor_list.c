/*
 * Lists what faultvisor knows, one name a line: its faults, those of them that lose system
 * registers, or the kinds of exits on which they strike. A program of the build machine, for the
 * tests and for scripts.
 */
#include "../faultvisor/faults.h"
#include <stdio.h>
#include <string.h>

int main(int argc, char *argv[])
{
    const char *what = argc == 2 ? argv[1] : "";
    if (strcmp(what, "faults") == 0) {
        for (uint32_t n = 0; n < fault_count; n++)
            puts(faults[n].name);
        return 0;
    }
    if (strcmp(what, "registers") == 0) {
        for (uint32_t n = 0; n < fault_count; n++)
            if (fault_loses_register(&faults[n]))
                puts(faults[n].name);
        return 0;
    }
    if (strcmp(what, "exits") == 0) {
        for (enum exit_kind kind = 0; kind < EXIT_KIND_COUNT; kind++)
            puts(exit_kinds[kind].name);
        return 0;
    }
    (void)fputs("usage: faultvisor-list faults|registers|exits\n", stderr);
    return 2;
}
