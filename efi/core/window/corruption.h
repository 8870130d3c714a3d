/* The classes of corruption, and their names. */
#ifndef ZMMTEST_CORE_WINDOW_CORRUPTION_H
#define ZMMTEST_CORE_WINDOW_CORRUPTION_H

enum corruption_class {
    CLASS_ZEROED,     /* bytes that held a pattern are zero */
    CLASS_STALE,      /* this vCPU's own value of an earlier generation */
    CLASS_OTHER_VCPU, /* another vCPU's value */
    CLASS_OTHER_RUN,  /* a value of another run of zmmtest: another VM's, or an earlier boot's */
    CLASS_SWAPPED,    /* another register's value, or another lane's, of the same round */
    CLASS_BIT_FLIP,   /* a single bit differs */
    CLASS_FOREIGN,    /* a value that no zmmtest made */
    CLASS_GHOST,      /* was in INIT state, came back non-zero */
    CLASS_ALTERED,    /* control state, or an integer register, changed */
    CLASS_FAULT,      /* a legal instruction raised an exception */
    CLASS_COUNT
};

/* The name in options and log lines. */
const char *class_name(enum corruption_class corruption);

#endif
