/* A fw_cfg device that says anything: its directory and its files are the input. */
#include "../../efi/core/machine/fw_cfg.h"
#include "fuzz.h"

static struct fuzz_input whole, rest;

void fw_cfg_select(uint16_t key)
{
    static const uint8_t signature[] = {'Q', 'E', 'M', 'U'};
    size_t at = key == 0x19 || whole.size == 0 ? 0 : key % whole.size;
    rest = key ? (struct fuzz_input){whole.data + at, whole.size - at}
               : (struct fuzz_input){signature, sizeof(signature)};
}

void fw_cfg_take(uint8_t *to, size_t bytes)
{
    fuzz_take(&rest, to, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hypervisor kvm = {.kind = HYPERVISOR_KVM};
    char to[64];
    size_t length;
    whole = (struct fuzz_input){data, size};
    (void)fw_cfg_read(&kvm, "opt/zmmtest/options", to, sizeof(to), &length);
    return 0;
}
