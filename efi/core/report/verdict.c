/* Names of the verdicts. */
#include "verdict.h"

const char *verdict_name(enum verdict verdict)
{
    static const char *const names[VERDICT_COUNT] = {
        [VERDICT_PASS] = "PASS",
        [VERDICT_INCOMPLETE] = "INCOMPLETE",
        [VERDICT_FAIL] = "FAIL",
        [VERDICT_ERROR] = "ERROR",
    };
    return names[verdict];
}
