/* vmware.log and guestinfo. After a request that is not answered none is made any more. */
#include "vmware.h"
#include "../text.h"
#include "rpci.h"
#include <string.h>

static struct {
    bool works;
    enum { NOTHING_WRONG, TO_BE_SAID, SAID } trouble;
    char words[224];
} channel;

/* The first one is enough: those that follow have the same cause. */
__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    struct text text;
    va_list arguments;
    if (channel.trouble != NOTHING_WRONG)
        return;
    channel.trouble = TO_BE_SAID;
    text_start(&text, channel.words, sizeof(channel.words));
    va_start(arguments, format);
    text_add_list(&text, format, arguments);
    va_end(arguments);
}

bool vmware_start(const struct hypervisor *hypervisor)
{
    memset(&channel, 0, sizeof(channel));
    if (hypervisor->kind != HYPERVISOR_VMWARE)
        return false;
    channel.works = hypervisor->backdoor;
    if (!channel.works)
        complain("VMware's port 0x5658 does not answer: no options from guestinfo, and nothing for "
                 "vmware.log. The console and COM1 have all of this run.");
    return true;
}

/* `name` is what of the request an operator wants to know. */
static enum rpci_status ask(const char *name, const char *request, struct rpci_reply *reply)
{
    if (!channel.works)
        return RPCI_NO_ANSWER;
    enum rpci_status status = rpci_request(request, reply);
    if (status != RPCI_NO_ANSWER)
        return status;
    channel.works = false;
    complain("%s: VMware %s. guestinfo and vmware.log get no more of this run, the console and "
             "COM1 all. See isolation.tools.* in the .vmx.",
             name, reply->failure);
    return status;
}

static void complain_of_refusal(const char *name, const struct rpci_reply *reply)
{
    complain("%s: VMware refuses (%s). The console and COM1 have all of this run. See "
             "isolation.tools.* in the .vmx.",
             name, reply->text);
}

/* What open-vm-tools and VMware's own tools get for a key that nobody has set. */
static bool says_that_there_is_none(const struct rpci_reply *reply)
{
    static const char words[] = "No value found";
    return reply->length >= sizeof(words) - 1 && memcmp(reply->text, words, sizeof(words) - 1) == 0;
}

bool vmware_read(const char *key, char *value, size_t size, size_t *length)
{
    char request[96];
    struct text text;
    struct rpci_reply reply = {.text = value, .size = size};
    text_start(&text, request, sizeof(request));
    text_add(&text, "info-get %s", key);
    enum rpci_status status = ask(request, request, &reply);
    if (status == RPCI_REFUSED && !says_that_there_is_none(&reply)) {
        value[reply.length < 40 ? reply.length : 40] = '\0';
        complain_of_refusal(request, &reply);
    }
    *length = reply.length;
    /* Whether the host counts a terminator or not: it is none of the value. */
    while (*length > 0 && *length < size && value[*length - 1] == '\0')
        --*length;
    return status == RPCI_DONE;
}

/* Where only yes or no counts, and the first words of the reason. */
static void tell(const char *name, const char *request, bool once)
{
    char words[41];
    struct rpci_reply reply = {.text = words, .size = sizeof(words), .once = once};
    if (ask(name, request, &reply) == RPCI_REFUSED)
        complain_of_refusal(name, &reply);
}

void vmware_write(const char *key, const char *value)
{
    char name[96], request[512];
    struct text text;
    text_start(&text, name, sizeof(name));
    text_add(&text, "info-set %s", key);
    text_start(&text, request, sizeof(request));
    text_add(&text, "%s %s", name, value);
    tell(name, request, false);
}

void vmware_log(const char *line)
{
    char request[512];
    struct text text;
    text_start(&text, request, sizeof(request));
    text_add(&text, "log %s", line);
    tell("log", request, true);
}

bool vmware_works(void)
{
    return channel.works;
}

const char *vmware_trouble(void)
{
    if (channel.trouble != TO_BE_SAID)
        return NULL;
    channel.trouble = SAID;
    return channel.words;
}
