/*
 * Exits that port I/O raises. Only port 0x80 is written to; every other port is read, because the
 * firmware on the boot vCPU may be in the middle of an index/data sequence on it.
 */
#include "window.h"

    window out80, "", "out dx, al"

/* RTC data, at whatever index the firmware left. */
    window rtc, "rax", "in al, dx"

/* The PCI configuration address as it stands (0xcf8), and the register that it selects (0xcfc). */
    window pci, "rax", "in eax, dx; mov dl, 0xfc; in eax, dx; mov dl, 0xf8"

/* Four bytes out to port 0x80 from memory, four bytes in from it to memory. */
    window string_io, "rcx", "rep outsb; mov ecx, 4; rep insb; lea rsi, [rsi - 4]; lea rdi, [rdi - 4]"

/* As many in to memory, where port 0x80 does not exit; and nothing out, as it is a port of others. */
    window string_in, "rcx", "rep insb; mov ecx, 4; rep insb; lea rdi, [rdi - 8]"

/* VMware's backdoor: all six registers may change (open-vm-tools, backdoorGcc64.c). */
    window backdoor, "rax, rbx, rcx, rdx, rsi, rdi", "in eax, dx"

    .section .note.GNU-stack, "", @progbits
