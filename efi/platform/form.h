/* The forms of the windows: which registers a vCPU's state lets them use. */
#ifndef ZMMTEST_PLATFORM_FORM_H
#define ZMMTEST_PLATFORM_FORM_H

/* The widest that this vCPU may use. The numbers are window.h's. */
enum form { FORM_XMM, FORM_YMM, FORM_ZMM, FORM_COUNT };

#endif
