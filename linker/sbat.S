/* Secure Boot Advanced Targeting: the generation by which shim can revoke this program (shim, SBAT.md). */
    .section .sbat, "a", @progbits
    .ascii "sbat,1,SBAT Version,sbat,1,https://github.com/rhboot/shim/blob/main/SBAT.md\n"
    .ascii "zmmtest,1,zmmtest,zmmtest,1,https://github.com/erlang/otp/issues/8904\n"

    .section .note.GNU-stack, "", @progbits
