/* Finds the vCPUs, and chooses who starts them: the firmware's MP services, or we. */
#include "../platform/processors.h"
#include "../core/text.h"
#include "mp_services.h"
#include "own_start.h"

static bool own; /* they are ours to start */

/* What is told where we start them, or where nobody can. */
static void note(struct processors *processors, const char *why, uint32_t known, uint32_t listed)
{
    static char notice[200];
    struct text text;
    text_start(&text, notice, sizeof(notice));
    if (why)
        text_add(&text, "%s: ", why);
    else
        text_add(&text,
                 "the firmware's MP services know %u of the %u processors that ACPI lists: ", known,
                 listed);
    text_add(&text, "zmmtest starts the other vCPUs itself");
    processors->notice = notice;
}

static void none(struct processors *processors, const char *one, const char *other)
{
    static char notice[200];
    struct text text;
    text_start(&text, notice, sizeof(notice));
    text_add(&text, "%s%s%s: one vCPU only", one ? one : "", one && other ? ", and " : "",
             other ? other : "");
    *processors = (struct processors){.count = 1, .notice = notice};
}

void processors_find(struct processors *processors, enum processors_by by)
{
    struct processors firmware = {.count = 1}, ours = {.count = 1, .own = true};
    const char *no_services = mp_services_find(&firmware);
    const char *no_list = by == PROCESSORS_FIRMWARE ? NULL : own_start_find(&ours);
    bool services = by != PROCESSORS_OWN && !no_services;
    bool list = by != PROCESSORS_FIRMWARE && !no_list;
    if (services && !(list && ours.count > firmware.count)) {
        *processors = firmware;
    } else if (list && (by == PROCESSORS_OWN || ours.count > 1)) {
        *processors = ours;
        if (by == PROCESSORS_AUTO)
            note(processors, no_services, firmware.count, ours.count);
    } else {
        none(processors, by == PROCESSORS_OWN ? NULL : no_services, no_list);
    }
}

void processors_use(const struct processors *processors)
{
    own = processors->own;
    if (own)
        own_start_use();
    else
        mp_services_use();
}

bool processors_ours(uint32_t number)
{
    (void)number;
    return true;
}

const char *processors_unusable(uint32_t number)
{
    return own ? own_start_unusable(number) : mp_services_unusable(number);
}

const char *processors_ask(uint32_t number, struct processor_call *call)
{
    return own ? own_start_ask(number, call) : mp_services_ask(number, call);
}

void processors_start(void)
{
    if (own)
        own_start_start();
    else
        mp_services_start();
}

bool processors_returned(struct processor_call *call)
{
    return own ? own_start_returned(call) : mp_services_returned(call);
}

const char *processors_left(void)
{
    return own ? own_start_left() : NULL;
}
