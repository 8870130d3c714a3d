/* The verdict of a run. The worst wins, and nothing that did not run is a pass. */
#ifndef ZMMTEST_VERDICT_H
#define ZMMTEST_VERDICT_H

/* In rising order: a higher one replaces a lower one, never the other way round. */
enum verdict {
    VERDICT_PASS,       /* all that was asked ran, nothing found */
    VERDICT_INCOMPLETE, /* something asked for could not run here */
    VERDICT_FAIL,       /* a finding */
    VERDICT_ERROR,      /* the test itself broke */
};

const char *verdict_name(enum verdict verdict);

#endif
