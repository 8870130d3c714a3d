# Scratch partitions: what zmmtest takes as leave to write over one. To be sourced.
# shellcheck shell=sh

# The GPT type of such a partition, as efi/uefi/scratch_find.h has it.
# shellcheck disable=SC2034 # for whoever sources it
scratch_type=5D2A3730-BAC1-4705-A7AC-21A4865F550A

# scratch_signature BYTES: the first 512 bytes of a partition of that size, as efi/core/storage/signature.c has them.
scratch_signature() {
    for _ in 1 2 3 4 5 6 7 8; do
        printf '%-63s\n' "zmmtest scratch partition, version 1, bytes=$1"
    done
}
