/*
 * Poses as VMware: the backdoor's GETVERSION and GETBUILDNUM, and the RPCI message channel with
 * `log`, `info-set` and `info-get` (open-vm-tools: backdoor_def.h, message.c). What guests say by
 * it is kept in memory and printed. It insists on what a guest has to pass back (channel, cookies),
 * and misbehaves where the plan says so (rpci=).
 */
#include "vmware.h"
#include "../../efi/core/text.h"
#include "plan.h"
#include "say.h"
#include <string.h>

#define MAGIC           0x564d5868u
#define CMD_GETVERSION  10u
#define CMD_GETBUILDNUM 100u
#define CMD_MESSAGE     0x1eu
#define VERSION         6u
#define PRODUCT_ESX     2u
#define BUILD_8_0_2     22380479u
#define BUILD_8_0_3     24022510u

enum step { OPEN, SEND_SIZE, SEND, RECEIVE_SIZE, RECEIVE, ACKNOWLEDGE, CLOSE };

#define RPCI                  (0x49435052u | 0x80000000u)
#define STATUS_SUCCESS        (0x01u << 16)
#define STATUS_REPLY          (0x02u << 16)
#define STATUS_CHECKPOINT     (0x10u << 16)
#define STATUS_HIGH_BANDWIDTH (0x80u << 16)
#define CMD_BULK_MESSAGE      0u
#define INFO_KEYS             8u
#define COOKIE_HIGH           0x46415554u
#define COOKIE_LOW            0x5649534fu
#define CHANNELS              4u
#define HOLDS_SIZE            (1u << 16)
#define HOLDS_BYTES           (2u << 16)

/* One in so many steps, which is more than a request of zmmtest has. */
#define STEPS_TO_CHECKPOINT 97u

static struct channel {
    bool open;
    uint32_t size, got;
    char message[VMWARE_BYTES_MAX + 4];
    char reply[VMWARE_BYTES_MAX + 4];
    uint32_t reply_size, replied;
} channels[CHANNELS];

/* What guests have set. */
static struct info {
    char key[64], value[VMWARE_BYTES_MAX];
} infos[INFO_KEYS];

static unsigned int steps;

void vmware_reset(void)
{
    memset(channels, 0, sizeof(channels));
    memset(infos, 0, sizeof(infos));
    steps = 0;
}

static bool starts_with(const char *text, const char *start)
{
    return strlen(text) >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

/* What does not fit is cut. */
static void set_reply(struct channel *channel, const char *status, const char *value, size_t bytes)
{
    size_t status_bytes = strlen(status);
    if (bytes > VMWARE_BYTES_MAX - status_bytes)
        bytes = VMWARE_BYTES_MAX - status_bytes;
    memset(channel->reply, 0, sizeof(channel->reply));
    memcpy(channel->reply, status, status_bytes);
    memcpy(channel->reply + status_bytes, value, bytes);
    channel->reply_size = (uint32_t)(status_bytes + bytes);
    channel->replied = 0;
}

static void refuse(struct channel *channel, const char *reason)
{
    set_reply(channel, "0 ", reason, strlen(reason));
}

/* The one with this key, or a new one; NULL: there are as many as can be kept. */
static struct info *find_info(const char *key)
{
    for (size_t n = 0; n < INFO_KEYS; n++)
        if (strcmp(infos[n].key, key) == 0 || !infos[n].key[0])
            return &infos[n];
    return NULL;
}

/* "info-set guestinfo.KEY VALUE" */
static void set_info(struct channel *channel, const char *words)
{
    char name[sizeof(infos[0].key)];
    struct text key, value;
    text_start(&key, name, sizeof(name));
    for (; *words && *words != ' '; words++)
        text_add(&key, "%c", *words);
    struct info *info = find_info(name);
    if (!info) {
        refuse(channel, "Too many keys");
        return;
    }
    text_start(&value, info->value, sizeof(info->value));
    text_add(&value, "%s", *words ? words + 1 : "");
    memcpy(info->key, name, sizeof(name));
    say("faultvisor ev=guestinfo key=%s value=\"%s\"", info->key, info->value);
    set_reply(channel, "1 ", "", 0);
}

static void get_info(struct channel *channel, const char *key)
{
    const struct info *info = find_info(key);
    if (plan.guestinfo && strcmp(key, "guestinfo.zmmtest.options") == 0)
        set_reply(channel, "1 ", plan.guestinfo, plan.guestinfo_bytes);
    else if (info && info->key[0])
        set_reply(channel, "1 ", info->value, strlen(info->value));
    else
        refuse(channel, "No value found");
}

static void answer_message(struct channel *channel)
{
    static const char log[] = "log ", set[] = "info-set ", get[] = "info-get ";
    channel->message[channel->size] = '\0';
    if (plan.rpci == POSE_REFUSES) {
        refuse(channel, "Permission denied");
    } else if (starts_with(channel->message, log)) {
        say("faultvisor ev=vmware-log text=\"%s\"", channel->message + sizeof(log) - 1);
        set_reply(channel, "1 ", "", 0);
    } else if (starts_with(channel->message, set)) {
        set_info(channel, channel->message + sizeof(set) - 1);
    } else if (starts_with(channel->message, get)) {
        get_info(channel, channel->message + sizeof(get) - 1);
    } else {
        refuse(channel, "Unknown command");
    }
}

/* Registers of a guest, by what message.c calls their halves. */
struct call {
    struct channel *channel; /* NULL: none that is open */
    uint64_t *size;          /* EBX */
    uint64_t *edx;
};

static uint32_t open_channel(const struct call *call)
{
    if ((uint32_t)*call->size != RPCI)
        return 0;
    for (uint32_t n = 0; n < CHANNELS; n++) {
        if (channels[n].open)
            continue;
        channels[n].open = true;
        channels[n].size = channels[n].got = channels[n].reply_size = channels[n].replied = 0;
        *call->edx = n << 16;
        return STATUS_SUCCESS;
    }
    return 0;
}

static uint32_t offer(void)
{
    return plan.low_bandwidth ? 0 : STATUS_HIGH_BANDWIDTH;
}

static uint32_t take_size(const struct call *call)
{
    struct channel *channel = call->channel;
    if ((uint32_t)*call->size > VMWARE_BYTES_MAX)
        return 0;
    channel->size = (uint32_t)*call->size;
    channel->got = 0;
    if (channel->size == 0)
        answer_message(channel);
    return STATUS_SUCCESS | offer();
}

static uint32_t take_bytes(const struct call *call)
{
    struct channel *channel = call->channel;
    uint32_t word = (uint32_t)*call->size;
    if (channel->got >= channel->size)
        return 0;
    memcpy(channel->message + channel->got, &word, sizeof(word));
    channel->got += 4;
    if (channel->got >= channel->size)
        answer_message(channel);
    return STATUS_SUCCESS;
}

/* Whoever asks for the size again begins anew. */
static uint32_t give_size(const struct call *call)
{
    call->channel->replied = 0;
    *call->size = plan.rpci == POSE_ENDLESS ? UINT32_MAX : call->channel->reply_size;
    *call->edx = HOLDS_SIZE;
    return STATUS_SUCCESS | STATUS_REPLY | offer();
}

static uint32_t give_bytes(const struct call *call)
{
    struct channel *channel = call->channel;
    uint32_t word = 0;
    if (plan.rpci == POSE_ENDLESS)
        memcpy(&word, "1 1 ", sizeof(word));
    else if (channel->replied >= channel->reply_size)
        return 0;
    else
        memcpy(&word, channel->reply + channel->replied, sizeof(word));
    channel->replied += 4;
    *call->size = word;
    *call->edx = HOLDS_BYTES;
    return STATUS_SUCCESS;
}

static bool checkpoint_now(void)
{
    return plan.rpci == POSE_CHECKPOINTS && ++steps % STEPS_TO_CHECKPOINT == 0;
}

/* The status; 0: this step is wrong here. */
static uint32_t message_step(enum step step, const struct call *call)
{
    if (plan.rpci == POSE_SILENT || (step != OPEN && !call->channel))
        return 0;
    if (checkpoint_now())
        return STATUS_CHECKPOINT;
    switch (step) {
    case OPEN:
        return open_channel(call);
    case SEND_SIZE:
        return take_size(call);
    case SEND:
        return take_bytes(call);
    case RECEIVE_SIZE:
        return give_size(call);
    case RECEIVE:
        return give_bytes(call);
    case ACKNOWLEDGE:
        return STATUS_SUCCESS;
    case CLOSE:
        call->channel->open = false;
        return STATUS_SUCCESS;
    }
    return 0;
}

/* A guest names it by its number and both cookies. */
static struct channel *named(const struct guest_registers *guest, uint64_t high, uint64_t low)
{
    uint32_t number = guest->r[2] >> 16 & 0xffff;
    return number < CHANNELS && channels[number].open && (uint32_t)high == COOKIE_HIGH &&
                   (uint32_t)low == COOKIE_LOW - number
               ? &channels[number]
               : NULL;
}

bool vmware_backdoor(struct guest_registers *guest)
{
    uint64_t *eax = &guest->r[0], *ecx = &guest->r[1], *edx = &guest->r[2], *ebx = &guest->r[3];
    if ((uint32_t)*eax != MAGIC || plan.rpci == POSE_ABSENT)
        return false;
    switch (*ecx & 0xffff) {
    case CMD_GETVERSION:
        *eax = VERSION;
        *ebx = MAGIC;
        *ecx = PRODUCT_ESX;
        break;
    case CMD_GETBUILDNUM:
        *eax = atomic_load(&plan.migrated) ? BUILD_8_0_3 : BUILD_8_0_2;
        break;
    case CMD_MESSAGE: {
        enum step step = (enum step)(*ecx >> 16 & 0xffff);
        const struct call call = {named(guest, guest->r[6], guest->r[7]), ebx, edx};
        *ecx = message_step(step, &call);
        if (step == OPEN) {
            guest->r[6] = COOKIE_HIGH;
            guest->r[7] = COOKIE_LOW - (*edx >> 16 & 0xffff);
        }
        break;
    }
    default:
        *eax = UINT32_MAX;
        break;
    }
    return true;
}

/* The status of a bulk transfer. The cookies are in RBP and in whichever of RSI and RDI is no
 * address (message.c): the high one in RBP to send, the low one there to receive. */
static uint32_t bulk(struct guest_registers *guest, bool out, char *bytes)
{
    struct channel *channel =
        out ? named(guest, guest->r[5], guest->r[7]) : named(guest, guest->r[6], guest->r[5]);
    uint64_t size = guest->r[1];
    if (!channel || (guest->r[3] & 0xffff) != CMD_BULK_MESSAGE || plan.rpci == POSE_SILENT)
        return 0;
    if (checkpoint_now())
        return STATUS_CHECKPOINT;
    if (out) {
        if (size != channel->size || size > VMWARE_BYTES_MAX)
            return 0;
        memcpy(channel->message, bytes, size);
        answer_message(channel);
    } else {
        if (size > channel->reply_size)
            return 0;
        memcpy(bytes, channel->reply, size);
    }
    return STATUS_SUCCESS;
}

bool vmware_high_bandwidth(struct guest_registers *guest, bool out, char *bytes)
{
    if ((uint32_t)guest->r[0] != MAGIC || plan.rpci == POSE_ABSENT)
        return false;
    uint32_t status = bulk(guest, out, bytes);
    guest->r[3] = status | (guest->r[3] & 0xffff);
    guest->r[1] = 0;
    return true;
}
