/*
 * The memory layout that the windows (assembly) and everything else (C) agree on: one register
 * state, and the round that a window runs on. state.h holds the same as C types and asserts that
 * the two agree.
 */
#ifndef ZMMTEST_CORE_WINDOW_LAYOUT_H
#define ZMMTEST_CORE_WINDOW_LAYOUT_H

/* Offsets into struct register_state. Vector registers have 64-byte slots in every form. */
#define STATE_VECTOR  0
#define STATE_OPMASK  2048
#define STATE_GENERAL 2112
#define STATE_RFLAGS  2240
/* What AX must hold for `add al, 0x7f; sahf` to set the status flags of STATE_RFLAGS. */
#define STATE_FLAGS_SOURCE 2248
#define STATE_MXCSR        2256
#define STATE_SIZE         2304

/*
 * A window's RSP points to the expected state of its round, so these offsets count from there.
 * What lies below it is the stack of the window: exceptions are delivered onto it.
 */
#define ROUND_STACK_SIZE 2048
#define ROUND_FOUND      STATE_SIZE
#define ROUND_PLANTED    (2 * STATE_SIZE)
#define ROUND_CONTROL    (3 * STATE_SIZE)

/* Which flags the window compares, and the stack that it returns to. */
#define ROUND_FLAGS_KEPT (ROUND_CONTROL + 0)
#define ROUND_CALLER_RSP (ROUND_CONTROL + 8)

/*
 * Of a round whose state is put in by XRSTOR: the XSAVE areas (pointers), which components, and where
 * the window goes on to save them (compare.S).
 */
#define ROUND_AREA         (ROUND_CONTROL + 16)
#define ROUND_AREA_FOUND   (ROUND_CONTROL + 24)
#define ROUND_AREA_PLANTED (ROUND_CONTROL + 32)
#define ROUND_AREA_MASK    (ROUND_CONTROL + 40)
#define ROUND_AREA_SAVE    (ROUND_CONTROL + 48)
/* XGETBV(1) right after the save: whether the processor has it, and what it said. */
#define ROUND_AREA_XGETBV (ROUND_CONTROL + 56)
#define ROUND_AREA_IN_USE (ROUND_CONTROL + 64)

/*
 * What a round of a single step (step.h) puts on its stack: as IRETQ takes it (SDM vol. 3, 6.14.3).
 */
#define ROUND_STEP_RIP    (ROUND_CONTROL + 72)
#define ROUND_STEP_CS     (ROUND_CONTROL + 80)
#define ROUND_STEP_RFLAGS (ROUND_CONTROL + 88)
#define ROUND_STEP_RSP    (ROUND_CONTROL + 96)
#define ROUND_STEP_SS     (ROUND_CONTROL + 104)

/* What one round of a copy copies (exits_hold.S, memory.c). */
#define COPY_PIECE_BYTES 16384

/* A struct window, with its name. */
#define WINDOW_NAME 104
#define WINDOW_SIZE 120

/* What a window returns: enum window_result. */
#define WINDOW_INTACT         0
#define WINDOW_GENERAL_DIFFER 1
#define WINDOW_OPMASK_DIFFER  2
#define WINDOW_VECTOR_DIFFER  3
#define WINDOW_AREA_DIFFER   4
#define WINDOW_FAULT          5
#define WINDOW_FAULT_TWICE    6

#endif
