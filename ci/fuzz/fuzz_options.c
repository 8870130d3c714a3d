/* A configuration file, or what has its form: zmmtest.conf, guestinfo, fw_cfg. */
#include "../../efi/core/run/option_words.h"
#include "fuzz.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct options options;
    static char in_force[OPTIONS_IN_FORCE_MAX];
    char message[512];
    struct text error, text;
    options_default(&options);
    text_start(&error, message, sizeof(message));
    bool good = options_parse_conf(&options, "zmmtest.conf", (const char *)data, size, &error);
    fuzz_expect(good == (error.length == 0), "what is wrong is told, and only that");
    for (size_t n = 0; n < error.length; n++)
        fuzz_expect(message[n] >= ' ' && message[n] <= '~', "a message is printable");
    text_start(&text, in_force, sizeof(in_force));
    options_in_force(&options, &text);
    fuzz_expect(!text.cut, "all options that can be in force fit");
    fuzz_expect(options.plan.hold_microseconds >= 1 && options.plan.hold_microseconds <= 1000000,
                "hold= stays in its range");
    return 0;
}
