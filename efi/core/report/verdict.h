/* The verdict of a run. */
#ifndef ZMMTEST_CORE_REPORT_VERDICT_H
#define ZMMTEST_CORE_REPORT_VERDICT_H

/* In rising order: the worst wins. */
enum verdict {
    VERDICT_PASS,       /* all that was asked ran, nothing found */
    VERDICT_INCOMPLETE, /* something asked for could not run here */
    VERDICT_FAIL,       /* a finding */
    VERDICT_ERROR,      /* the test itself broke */
    VERDICT_COUNT
};

const char *verdict_name(enum verdict verdict);

#endif
