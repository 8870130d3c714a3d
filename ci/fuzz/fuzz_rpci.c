/* VMware's backdoor that answers anything: each call takes five registers of the input. */
#include "../../efi/core/machine/vmware.h"
#include "../../efi/core/report/vmware_sink.h"
#include "../../efi/core/run/option_words.h"
#include "fuzz.h"

static struct fuzz_input input;

void backdoor_call(struct backdoor *registers)
{
    struct {
        uint32_t ebx, ecx, edx, esi, edi;
    } answer;
    fuzz_take(&input, &answer, sizeof(answer));
    *registers = (struct backdoor){BACKDOOR_MAGIC, answer.ebx, answer.ecx,
                                   answer.edx,     answer.esi, answer.edi};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char value[CONF_MAX + 1];
    const struct hypervisor vmware = {.kind = HYPERVISOR_VMWARE, .backdoor = true};
    size_t length;
    input = (struct fuzz_input){data, size};
    if (!vmware_start(&vmware))
        return 0;
    if (vmware_read("guestinfo.zmmtest.options", value, sizeof(value), &length)) {
        struct options options;
        char message[512];
        struct text error;
        options_default(&options);
        text_start(&error, message, sizeof(message));
        (void)options_parse_conf(&options, "guestinfo", value, length, &error);
    }
    vmware_write("guestinfo.zmmtest.verdict", "RUNNING");
    vmware_log("zmmtest ts=0.000 ev=start");
    (void)vmware_trouble();
    return 0;
}
