/* A compiled driver in the old style: reads the XML from stdin, prints its errors on stdout.
   All six actions are this program under six names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char machines[3000], record[4000], xml[65536], value[512];

static void fail(const char *reason)
{
    printf("%s\n", reason);
    exit(1);
}

static const char *tag(const char *name)
{
    char open[64], shut[64];
    snprintf(open, sizeof open, "<%s>", name);
    snprintf(shut, sizeof shut, "</%s>", name);
    char *from = strstr(xml, open);
    char *to = from ? strstr(from, shut) : NULL;
    if (!to)
        return NULL;
    from += strlen(open);
    if (to - from >= (long)sizeof value)
        fail("a value is too long");
    memcpy(value, from, (size_t)(to - from));
    value[to - from] = 0;
    return value;
}

static void at(const char *deploy_id)
{
    if (strchr(deploy_id, '/') || snprintf(record, sizeof record, "%s/%s", machines, deploy_id) < 1)
        fail("bad deploy id");
}

static void put(const char *state)
{
    FILE *file = fopen(record, "w");
    if (!file || fputs(state, file) < 0 || fclose(file))
        fail("cannot write");
}

static void need(void)
{
    if (access(record, F_OK))
        fail("no such machine");
}

static void deploy(void)
{
    xml[fread(xml, 1, sizeof xml - 1, stdin)] = 0;
    if (tag("FAIL"))
        fail(value);
    if (tag("DEPLOY_ID")) {
        at(value);
        need();
    } else {
        if (!tag("NAME"))
            fail("no name");
        at(value);
    }
    put("a");
    printf("%s\n", value);
}

static void poll(void)
{
    char state[8] = "-";
    FILE *file = fopen(record, "r");
    if (!file)
        fail("no such machine");
    if (!fgets(state, sizeof state, file))
        fail("cannot read");
    fclose(file);
    printf("STATE=%s GUEST_IP=192.0.2.30\n", state);
}

int main(int argc, char **argv)
{
    const char *action = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    const char *home = getenv("ONE_HOME");
    if (!home || argc < 3 || strlen(home) > 2900)
        fail("bad call");
    snprintf(machines, sizeof machines, "%s/old-c", home);
    mkdir(machines, 0700);
    strcat(machines, "/machines");
    mkdir(machines, 0700);
    if (!strcmp(action, "deploy")) {
        deploy();
        return 0;
    }
    at(argv[1]);
    if (!strcmp(action, "poll")) {
        poll();
    } else if (!strcmp(action, "cancel")) {
        unlink(record);
    } else {
        need();
        put(strcmp(action, "shutdown") ? "a" : "p");
    }
    return 0;
}
