/* Names of exceptions (SDM vol. 3, table 6-1; those from 28 on: APM vol. 2, table 8-1). */
#include "exception.h"
#include <stddef.h>

const char *exception_name(uint64_t vector)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
                                        "#DF", NULL,  "#TS", "#NP", "#SS", "#GP", "#PF", NULL,
                                        "#MF", "#AC", "#MC", "#XM", "#VE", "#CP", NULL,  NULL,
                                        NULL,  NULL,  NULL,  NULL,  "#HV", "#VC", "#SX"};
    const char *name = vector < sizeof(names) / sizeof(names[0]) ? names[vector] : NULL;
    return name ? name : "#?";
}
