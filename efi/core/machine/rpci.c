/* The steps of an RPCI request (open-vm-tools, message.c, guest_msg_def.h). */
#include "rpci.h"
#include "hypervisor.h"
#include <stdbool.h>
#include <string.h>

enum step {
    STEP_OPEN,
    STEP_SEND_SIZE,
    STEP_SEND,
    STEP_RECEIVE_SIZE,
    STEP_RECEIVE,
    STEP_ACKNOWLEDGE,
    STEP_CLOSE,
};

#define PROTOCOL_RPCI        0x49435052u
#define PROTOCOL_WITH_COOKIE 0x80000000u

/* ECX[31:16] after a step. */
#define STATUS_SUCCESS    0x01u
#define STATUS_REPLY      0x02u /* there is one to receive */
#define STATUS_CLOSED     0x04u
#define STATUS_CHECKPOINT 0x10u /* suspend, snapshot, migration: send, or receive, again */

/* EDX[31:16] after a step that receives: what EBX holds. */
#define HOLDS_SIZE  1u
#define HOLDS_BYTES 2u

#define ATTEMPTS 4u

#define STATUS_TEXT 2u /* "1 " or "0 ", which each reply begins with */

/*
 * What a host keeps of guestinfo for a VM is 1 MiB unless tools.setInfo.sizeLimit says otherwise: a
 * reply that claims to be longer is none.
 */
#define REPLY_MAX (STATUS_TEXT + (1u << 20))

struct channel {
    uint32_t number;
    uint32_t cookie_high, cookie_low;
};

enum outcome { STEP_TAKEN, STEP_AGAIN, STEP_CLOSED, STEP_FAILED };

/*
 * Where nothing answers ECX comes back as it was, with the number of the step for a status: 0 of
 * STEP_OPEN is no success, and no other step is taken then.
 */
static enum outcome take(enum step step, const struct channel *channel, uint32_t argument,
                         struct backdoor *answer)
{
    *answer = (struct backdoor){
        .ebx = argument,
        .ecx = BACKDOOR_MESSAGE | (uint32_t)step << 16,
        .edx = channel->number << 16,
        .esi = channel->cookie_high,
        .edi = channel->cookie_low,
    };
    backdoor_call(answer);
    uint32_t status = answer->ecx >> 16;
    if (status & STATUS_SUCCESS)
        return STEP_TAKEN;
    if (status & STATUS_CLOSED)
        return STEP_CLOSED;
    return status & STATUS_CHECKPOINT ? STEP_AGAIN : STEP_FAILED;
}

static enum outcome open_channel(struct channel *channel)
{
    struct backdoor answer;
    *channel = (struct channel){0};
    enum outcome outcome = take(STEP_OPEN, channel, PROTOCOL_RPCI | PROTOCOL_WITH_COOKIE, &answer);
    *channel = (struct channel){answer.edx >> 16, answer.esi, answer.edi};
    return outcome;
}

static enum outcome send(const struct channel *channel, const char *request)
{
    struct backdoor answer;
    size_t length = strlen(request);
    enum outcome outcome = take(STEP_SEND_SIZE, channel, (uint32_t)length, &answer);
    for (size_t at = 0; outcome == STEP_TAKEN && at < length; at += sizeof(uint32_t)) {
        uint32_t bytes = 0;
        memcpy(&bytes, request + at, length - at < sizeof(bytes) ? length - at : sizeof(bytes));
        outcome = take(STEP_SEND, channel, bytes, &answer);
    }
    return outcome;
}

/* Four bytes of the reply from `at` on: to the status or to the text, as far as there is room. */
static void keep(struct rpci_reply *reply, char status[STATUS_TEXT], size_t at, uint32_t bytes)
{
    size_t end = STATUS_TEXT + reply->length;
    for (unsigned int n = 0; n < sizeof(bytes) && at < end; n++, at++, bytes >>= 8) {
        if (at < STATUS_TEXT)
            status[at] = (char)bytes;
        else if (at - STATUS_TEXT < reply->size - 1)
            reply->text[at - STATUS_TEXT] = (char)bytes;
    }
}

/* A reply that the buffer does not hold is not fetched to its end: closing the channel drops it. */
static enum outcome receive(const struct channel *channel, struct rpci_reply *reply,
                            char status[STATUS_TEXT])
{
    struct backdoor answer;
    enum outcome outcome = take(STEP_RECEIVE_SIZE, channel, 0, &answer);
    reply->failure = "does not reply";
    if (outcome != STEP_TAKEN)
        return outcome;
    if (!(answer.ecx >> 16 & STATUS_REPLY) || answer.edx >> 16 != HOLDS_SIZE ||
        answer.ebx < STATUS_TEXT)
        return STEP_FAILED;
    reply->failure = "sends a reply without end";
    if (answer.ebx > REPLY_MAX)
        return STEP_FAILED;
    reply->failure = "breaks its reply off";
    reply->length = answer.ebx - STATUS_TEXT;
    bool fits = reply->length < reply->size;
    size_t fetched = STATUS_TEXT + (fits ? reply->length : reply->size - 1);
    memset(reply->text, 0, fetched - STATUS_TEXT + 1);
    for (size_t at = 0; at < fetched; at += sizeof(uint32_t)) {
        outcome = take(STEP_RECEIVE, channel, STATUS_SUCCESS, &answer);
        if (outcome != STEP_TAKEN)
            return outcome;
        if (answer.edx >> 16 != HOLDS_BYTES)
            return STEP_FAILED;
        keep(reply, status, at, answer.ebx);
    }
    return fits ? take(STEP_ACKNOWLEDGE, channel, STATUS_SUCCESS, &answer) : STEP_TAKEN;
}

/*
 * With a channel of its own: a migration may close those that were open. A checkpoint leaves it
 * open, and concerns what it interrupted, the request or its reply (message.c): a request that the
 * host has taken is not sent again for it. *taken: whether it has.
 */
static enum outcome attempt(const char *request, struct rpci_reply *reply, char status[STATUS_TEXT],
                            bool *taken)
{
    struct channel channel;
    struct backdoor ignored;
    reply->failure = "does not open a channel";
    enum outcome outcome = open_channel(&channel);
    if (outcome != STEP_TAKEN)
        return outcome;
    reply->failure = "does not take the request";
    outcome = STEP_AGAIN;
    for (unsigned int n = 0; n < ATTEMPTS && outcome == STEP_AGAIN; n++)
        outcome = send(&channel, request);
    *taken = outcome == STEP_TAKEN;
    if (*taken)
        outcome = STEP_AGAIN;
    for (unsigned int n = 0; n < ATTEMPTS && *taken && outcome == STEP_AGAIN; n++)
        outcome = receive(&channel, reply, status);
    /* A channel that does not close is the host's: nothing more can be done. */
    for (unsigned int n = 0; n < ATTEMPTS; n++)
        if (take(STEP_CLOSE, &channel, 0, &ignored) != STEP_AGAIN)
            break;
    return outcome == STEP_AGAIN ? STEP_FAILED : outcome;
}

enum rpci_status rpci_request(const char *request, struct rpci_reply *reply)
{
    char status[STATUS_TEXT] = {0};
    enum outcome outcome = STEP_CLOSED;
    bool taken = false;
    reply->text[0] = '\0';
    reply->length = 0;
    for (unsigned int n = 0; n < ATTEMPTS && (outcome == STEP_AGAIN || outcome == STEP_CLOSED) &&
                             !(reply->once && taken);
         n++)
        outcome = attempt(request, reply, status, &taken);
    if (outcome == STEP_CLOSED && reply->once && taken)
        return RPCI_DONE;
    if (outcome == STEP_TAKEN && memcmp(status, "1 ", STATUS_TEXT) == 0)
        return RPCI_DONE;
    if (outcome == STEP_TAKEN && memcmp(status, "0 ", STATUS_TEXT) == 0)
        return RPCI_REFUSED;
    if (outcome == STEP_TAKEN)
        reply->failure = "sends a reply that is neither yes nor no";
    return RPCI_NO_ANSWER;
}
