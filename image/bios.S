/*
 * What a BIOS starts instead of zmmtest: boot code of the disks and of the CD, which says in words that UEFI firmware
 * is needed. "Other" guests of ESXi get a BIOS unless one asks for EFI.
 *
 * It runs at whatever address it was loaded to, as make-image puts the same bytes into an MBR (UEFI 2.10, 5.2.1: up
 * to 440 bytes), behind the parameters of a FAT16's boot sector, and into the El Torito image for BIOS. COM1 gets
 * the words as well, since that is where a fleet looks. A port that is not there reads as FFh, which is "ready", and a
 * transmitter that never gets ready is waited for no longer than 65536 reads a character.
 */
    .intel_syntax noprefix
    .code16
    .text

    .set DATA, 0x3f8
    .set LINE_STATUS, 0x3fd
    .set TRANSMITTER_EMPTY, 0x20

start:
    cli
    xor ax, ax
    mov ss, ax
    mov sp, 0x7c00
    sti
    cld
    mov ax, 3 /* text, 80 by 25, cleared */
    int 0x10
    push cs
    pop ds
    call say
    .ascii "zmmtest needs UEFI firmware. This machine was started by a BIOS.\r\n\n"
    .ascii "A virtual machine: set its firmware to EFI, and start it again.\r\n"
    .ascii "  VMware: VM Options, Boot Options, Firmware: EFI\r\n"
    .ascii "A computer: boot this medium by its UEFI entry, with CSM off.\r\n\n"
    .asciz "Any key restarts.\r\n"

/* The words stand where the call would return to. */
say:
    pop si

character:
    lodsb
    test al, al
    jz wait_for_key
    mov ah, 0x0e
    mov bx, 7
    int 0x10
    xor cx, cx
    mov dx, LINE_STATUS
transmitter:
    in al, dx
    test al, TRANSMITTER_EMPTY
    loopz transmitter
    mov al, [si - 1]
    mov dx, DATA
    out dx, al
    jmp character

wait_for_key:
    xor ax, ax
    int 0x16
    /* A warm start: memory is not counted again. */
    mov ax, 0x40
    mov ds, ax
    mov word ptr [0x72], 0x1234
    .byte 0xea /* jmp ffff:0 */
    .word 0, 0xffff

/* What is free behind the parameters of a FAT16 (62 bytes): from byte 446 on there is mtools' partition entry of the
 * whole disk, by which U-Boot finds the volume. */
    .org 446 - 62
