/* The plan of the run: main.c writes it, everything below it reads it. */
#include "plan.h"

struct plan plan;
