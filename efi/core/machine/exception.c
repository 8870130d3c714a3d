/* Names of exceptions (SDM vol. 3, table 6-1). */
#include "exception.h"

const char *exception_name(uint64_t vector)
{
    static const char *const names[] = {"#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM",
                                        "#DF", "#?",  "#TS", "#NP", "#SS", "#GP", "#PF", "#?",
                                        "#MF", "#AC", "#MC", "#XM", "#VE", "#CP"};
    return vector < sizeof(names) / sizeof(names[0]) ? names[vector] : "#?";
}
