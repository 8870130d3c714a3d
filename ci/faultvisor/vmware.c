/*
 * Poses as VMware: the backdoor's GETVERSION and GETBUILDNUM, and the RPCI message channel with
 * `log`, `info-set` and `info-get` (open-vm-tools: backdoor_def.h, message.c). What guests say by
 * it is kept in memory and printed.
 */
#include "../../efi/text.h"
#include "faultvisor.h"
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

#define RPCI           (0x49435052u | 0x80000000u)
#define STATUS_SUCCESS (1u << 16)
#define STATUS_REPLY   (2u << 16)
#define MESSAGE_MAX    1024u
#define COOKIE_HIGH    0x46415554u
#define COOKIE_LOW     0x5649534fu

/* The one channel there is. */
static struct {
    bool open;
    uint32_t size, got;
    char message[MESSAGE_MAX + 4];
    char reply[MESSAGE_MAX + 8];
    uint32_t reply_size, replied;
    char info_key[64], info_value[MESSAGE_MAX];
} channel;

static bool starts_with(const char *text, const char *start)
{
    return strlen(text) >= strlen(start) && memcmp(text, start, strlen(start)) == 0;
}

static void set_reply(const char *status, const char *value)
{
    struct text text;
    memset(channel.reply, 0, sizeof(channel.reply));
    text_start(&text, channel.reply, MESSAGE_MAX);
    text_add(&text, "%s%s", status, value);
    channel.reply_size = (uint32_t)text.length;
    channel.replied = 0;
}

/* "info-set guestinfo.KEY VALUE": the latest one is kept. */
static void set_info(const char *words)
{
    struct text key, value;
    text_start(&key, channel.info_key, sizeof(channel.info_key));
    text_start(&value, channel.info_value, sizeof(channel.info_value));
    for (; *words && *words != ' '; words++)
        text_add(&key, "%c", *words);
    text_add(&value, "%s", *words ? words + 1 : "");
    say("faultvisor ev=guestinfo key=%s value=\"%s\"", channel.info_key, channel.info_value);
    set_reply("1 ", "");
}

static void answer_message(void)
{
    static const char set[] = "info-set ", get[] = "info-get ";
    channel.message[channel.size] = '\0';
    if (starts_with(channel.message, "log ")) {
        say("faultvisor ev=vmware-log text=\"%s\"", channel.message + 4);
        set_reply("1 ", "");
    } else if (starts_with(channel.message, set)) {
        set_info(channel.message + sizeof(set) - 1);
    } else if (starts_with(channel.message, get)) {
        bool known =
            channel.info_key[0] && strcmp(channel.message + sizeof(get) - 1, channel.info_key) == 0;
        set_reply(known ? "1 " : "0 ", known ? channel.info_value : "No value found");
    } else {
        set_reply("0 ", "Unknown command");
    }
}

static uint32_t message_step(enum step step, uint64_t *ebx, uint64_t *edx)
{
    switch (step) {
    case OPEN:
        if ((uint32_t)*ebx != RPCI || channel.open)
            return 0;
        channel.open = true;
        *edx = 0;
        return STATUS_SUCCESS;
    case SEND_SIZE:
        if ((uint32_t)*ebx > MESSAGE_MAX)
            return 0;
        channel.size = (uint32_t)*ebx;
        channel.got = 0;
        if (channel.size == 0)
            answer_message();
        return STATUS_SUCCESS;
    case SEND: {
        uint32_t word = (uint32_t)*ebx;
        if (channel.got >= channel.size)
            return 0;
        memcpy(channel.message + channel.got, &word, sizeof(word));
        channel.got += 4;
        if (channel.got >= channel.size)
            answer_message();
        return STATUS_SUCCESS;
    }
    case RECEIVE_SIZE:
        *ebx = channel.reply_size;
        *edx = 1u << 16;
        return STATUS_SUCCESS | STATUS_REPLY;
    case RECEIVE: {
        uint32_t word = 0;
        if (channel.replied >= channel.reply_size)
            return 0;
        memcpy(&word, channel.reply + channel.replied, sizeof(word));
        channel.replied += 4;
        *ebx = word;
        *edx = 2u << 16;
        return STATUS_SUCCESS;
    }
    case ACKNOWLEDGE:
        return STATUS_SUCCESS;
    case CLOSE:
        channel.open = false;
        return STATUS_SUCCESS;
    }
    return 0;
}

bool vmware_backdoor(struct guest_registers *guest)
{
    uint64_t *eax = &guest->r[0], *ecx = &guest->r[1], *edx = &guest->r[2], *ebx = &guest->r[3];
    if ((uint32_t)*eax != MAGIC)
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
        *ecx = message_step(step, ebx, edx);
        guest->r[6] = COOKIE_HIGH;
        guest->r[7] = COOKIE_LOW;
        break;
    }
    default:
        *eax = UINT32_MAX;
        break;
    }
    return true;
}
