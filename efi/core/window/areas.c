/* The list of what differs beside registers. */
#include "areas.h"

void areas_note(struct areas *areas, const struct area_difference *difference)
{
    for (uint32_t n = 0; n < areas->differences; n++) {
        if (areas->difference[n].component != difference->component)
            continue;
        areas->difference[n].further++;
        return;
    }
    if (areas->differences < AREA_DIFFERENCES)
        areas->difference[areas->differences++] = *difference;
}
