/* Load options: text, a whole EFI_LOAD_OPTION, or somebody else's data. The first byte says whether
 * the words may be somebody else's. */
#include "../../efi/core/run/load_options.h"
#include "../../efi/core/run/option_words.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct options options;
    char message[512];
    struct text error;
    const char *notice = NULL;
    if (size == 0)
        return 0;
    options_default(&options);
    text_start(&error, message, sizeof(message));
    const char *foreign = data[0] % 2 ? "somebody else's" : NULL;
    bool good = load_options_parse(&options, data + 1, size - 1, foreign, &error, &notice);
    fuzz_expect(good == (error.length == 0), "what is wrong is told, and only that");
    fuzz_expect(!notice || options.turns == 0, "nothing is taken of what a notice says is not");
    for (size_t n = 0; n < error.length; n++)
        fuzz_expect(message[n] >= ' ' && message[n] <= '~', "a message is printable");
    return 0;
}
