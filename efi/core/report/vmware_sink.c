/*
 * To the host, where that is VMware: the log lines that matter there into vmware.log, the verdict
 * and a summary into guestinfo. The verdict is RUNNING until there is one: that of an earlier run
 * of the same VM must not be taken for this one's.
 */
#include "vmware_sink.h"
#include "../../platform/clock.h"
#include "../machine/vmware.h"
#include <string.h>

#define VERDICT_KEY "guestinfo.zmmtest.verdict"
#define SUMMARY_KEY "guestinfo.zmmtest.summary"
#define VALUE_MAX   200u

/*
 * VMware drops what a guest logs beyond so many bytes a second (log.guestThrottleBytesPerSec):
 * after findings the verdict's line waits until it is alone.
 */
#define PAUSE_MS 1500u

/* Where `words` stand in the line; NULL: nowhere. */
static const char *find(const char *line, const char *words)
{
    size_t length = strlen(words);
    for (size_t left = strlen(line); left >= length; left--, line++)
        if (memcmp(line, words, length) == 0)
            return line;
    return NULL;
}

/* The value of " key=" in a log line, without its quotes; "" if it has none. */
static const char *value(const char *line, const char *key, char buffer[VALUE_MAX])
{
    struct text text;
    const char *at = find(line, key);
    text_start(&text, buffer, VALUE_MAX);
    if (!at)
        return buffer;
    at += strlen(key);
    char end = *at == '"' ? '"' : ' ';
    for (at += end == '"'; *at && *at != end; at++)
        text_add(&text, "%c", *at);
    return buffer;
}

static void write_result(const char *line)
{
    char buffer[VALUE_MAX], summary[2 * VALUE_MAX];
    struct text text;
    text_start(&text, summary, sizeof(summary));
    text_add(&text, "%s: ", value(line, " verdict=", buffer));
    text_add(&text, "%s exits verified on ", value(line, " exits=", buffer));
    text_add(&text, "%s vCPUs in ", value(line, " vcpus=", buffer));
    text_add(&text, "%s s, ", value(line, " elapsed=", buffer));
    text_add(&text, "%s findings", value(line, " findings=", buffer));
    if (value(line, " injected=", buffer)[0])
        text_add(&text, " (%s INJECTED)", buffer);
    text_add(&text, ": %s", value(line, " reason=", buffer));
    /* The verdict last: who waits for it finds the summary there. */
    vmware_write(SUMMARY_KEY, summary);
    vmware_write(VERDICT_KEY, value(line, " verdict=", buffer));
}

static bool is_event(const char *line, const char *event)
{
    char buffer[VALUE_MAX];
    return strcmp(value(line, " ev=", buffer), event) == 0;
}

static void vmware_line(const char *line)
{
    static bool findings;
    bool start = is_event(line, "start"), done = is_event(line, "done");
    bool finding = is_event(line, "finding");
    if (done && findings && vmware_works())
        clock_wait(PAUSE_MS);
    findings = finding || (findings && !start && !done);
    if (start || done || finding)
        vmware_log(line);
    if (done)
        write_result(line);
    if (start) {
        vmware_write(VERDICT_KEY, "RUNNING");
        vmware_write(SUMMARY_KEY, "RUNNING: no verdict yet");
    }
}

struct sink *vmware_sink(const struct hypervisor *hypervisor)
{
    static struct sink sink = {.log = vmware_line, .trouble = vmware_trouble};
    return vmware_start(hypervisor) ? &sink : NULL;
}
