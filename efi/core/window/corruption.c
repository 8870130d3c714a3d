/* Names of the classes of corruption. */
#include "corruption.h"

const char *class_name(enum corruption_class corruption)
{
    static const char *const names[CLASS_COUNT] = {
        [CLASS_ZEROED] = "zeroed",         [CLASS_STALE] = "stale",
        [CLASS_OTHER_VCPU] = "other-vcpu", [CLASS_OTHER_RUN] = "other-run",
        [CLASS_SWAPPED] = "swapped",       [CLASS_BIT_FLIP] = "bit-flip",
        [CLASS_FOREIGN] = "foreign",       [CLASS_GHOST] = "ghost",
        [CLASS_ALTERED] = "altered",       [CLASS_FAULT] = "fault",
    };
    return names[corruption];
}
