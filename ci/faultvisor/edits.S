/*
 * Faults that real code commits: vector instructions in a host that does not save all of the guest's
 * registers. The only vector instructions of faultvisor stand here.
 */
#include "../../efi/core/window/window.h"

    .section .text.vectors, "ax", @progbits

.macro function name
    .globl \name
    .type \name, @function
\name:
.endm

/* The guest's components in mask (RSI) to and from an XSAVE area (RDI, 64-byte aligned). */
function edit_xsave
    mov eax, esi
    xor edx, edx
    xsave64 [rdi]
    ret

function edit_xrstor
    mov eax, esi
    xor edx, edx
    xrstor64 [rdi]
    ret

/*
 * ESXi 8.0.2: 256-bit AVX code that saves and restores what it knows of, ymm0-15. Each write of a ymm
 * register zeroes bits 511:256 (SDM vol. 1, 14.1.3). RDI: 512 bytes for ymm0-15.
 */
function code_avx256
    .irp n, VECTORS_16
    vmovdqu [rdi + 32 * \n], ymm\n
    .endr
    .irp n, VECTORS_16
    vxorps ymm\n, ymm\n, ymm\n
    .endr
    .irp n, VECTORS_16
    vmovdqu ymm\n, [rdi + 32 * \n]
    .endr
    ret

/* The same by code that uses one register. */
function code_avx256_one
    vmovdqu [rdi], ymm5
    vxorps ymm5, ymm5, ymm5
    vmovdqu ymm5, [rdi]
    ret

/* 128-bit AVX code that saves and restores what it knows of: each write zeroes bits 511:128. */
function code_avx128
    vmovdqu [rdi], xmm6
    vpxor xmm6, xmm6, xmm6
    vmovdqu xmm6, [rdi]
    ret

/* What a copy of memory leaves in registers: text of the host. */
.macro host_data register, number
    movabs rax, 0x2074736f68206600
    lea rax, [rax + \number]
    .if \number < 16
    vmovq xmm\number, rax
    vpbroadcastq \register\number, xmm\number
    .else
    vpbroadcastq \register\number, rax
    .endif
.endm

/* A host that saves by FXSAVE, and uses 256-bit AVX: rcore-os/tgoskits issue 1329. RDI: 512 bytes. */
function code_fxsave_only
    fxsave64 [rdi]
    .irp n, 1, 2, 3
    host_data ymm, \n
    .endr
    fxrstor64 [rdi]
    ret

/* The same where nothing is saved. */
function code_avx256_data
    .irp n, 1, 2
    host_data ymm, \n
    .endr
    ret

/* memmove of a C library by EVEX-256: frida-gum issue 1137, DynamoRIO issue 7511. */
function code_evex256
    .irp n, 16, 17, 18, 19
    host_data ymm, \n
    .endr
    ret

function code_vzeroupper
    vzeroupper
    ret

function code_vzeroall
    vzeroall
    ret

function code_hi16_zeroed
    .irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    vpxorq zmm\n, zmm\n, zmm\n
    .endr
    ret

function code_opmask_one
    kxorq k3, k3, k3
    ret

/* A save and restore of opmasks by KMOVW, which knows of 16 bits. */
function code_opmask_high
    .irp n, OPMASKS
    kmovw k\n, k\n
    .endr
    ret

/* The same by KMOVD, which knows of 32. */
function code_opmask_32
    .irp n, OPMASKS
    kmovd k\n, k\n
    .endr
    ret

/* A C compiler's idea of clearing 16 bytes: legacy SSE leaves the upper bits alone. */
function code_xmm_cleared
    pxor xmm7, xmm7
    ret

    .section .note.GNU-stack, "", @progbits
