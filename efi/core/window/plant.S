/*
 * Windows whose event is a corruption: how zmmtest tests itself (plant.c). `plant` puts the planted
 * state of the round in, all registers of it; `plant_fault` raises #UD where no event is expected
 * to fault.
 */
#include "window.h"

.macro put_planted_state
    load_control ROUND_PLANTED
    .if window_form_is == form_zmm
    load_zmm ROUND_PLANTED
    .elseif window_form_is == form_xsave
    load_xsave_of ROUND_AREA_PLANTED
    .elseif window_form_is == form_ymm
    load_ymm ROUND_PLANTED
    .else
    load_xmm ROUND_PLANTED
    .endif
    load_general ROUND_PLANTED
.endm

    window plant, "", "put_planted_state"
    window plant_fault, "", "ud2"

    .section .note.GNU-stack, "", @progbits
