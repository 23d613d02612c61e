/* The load: thousands of screens in one process, an epoll set and no work that a screen would not do.
 *
 *   load HOST PORT REQUESTS READY SAY KEEPS
 *
 * REQUESTS  a file with one or more HTTP heads, each without its empty line and ended by a NUL; screens take them in turn
 * READY     the bytes after which a screen counts as open
 * SAY       bytes to send when the answer's head is there, in hex ("" for none)
 * KEEPS     1: keep the protocol as a browser does (cursor, reconnect with full jitter, Retry-After); 0: read only
 *
 * Orders come line by line on stdin, answers go out as one JSON object a line:
 *   open N RATE     open N more screens, RATE a second
 *   count           tell how it stands
 *   opened          tell the times that opening took since the last `opened`
 *   latencies FILE  write (number u32, screen u32, nanoseconds u64) of each delivery since the last `latencies`
 * and by itself {"full": number, …} when every open screen has a frame. A frame's number is that of `data-version=`.
 * Times are CLOCK_MONOTONIC, in nanoseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 20000, NUMBERS = 1 << 20, REQUESTS = 64, HEAD = 8192, CARRY = 64, LINE = 256, SOURCES = 8, READ = 1 << 18 };
enum { PAST_HEAD = -1 };
enum state { UNUSED, KNOCKING, OPEN, AWAY };
static const char MARK[] = "data-version=";
static const uint64_t S = 1000000000ull, LONGEST_AWAY_S = 30;

struct screen {
    enum state state;
    int fd, request, failures, carried, line_len, head_len;
    uint32_t newest;          /* number of the last frame */
    uint64_t began, due;      /* when it was to knock; when it will again */
    char *head;               /* the answer until READY has been seen */
    char carry[CARRY];        /* an end of what was read that may be the beginning of a mark */
    char line[LINE];          /* the line begun, cut */
    char event[16], id[64], cursor[64];
    int replaying;
};
struct number { uint32_t count; uint64_t first, last; };
struct delivery { uint32_t number, screen; uint64_t at; };

static struct screen screens[MOST];
static struct number numbers[NUMBERS];
static char *requests[REQUESTS], say[256];
static struct sockaddr_in server;
static const char *ready;
static int epoll, request_count, keeps, used, open_count, say_len;
static int to_open;
static double rate;
static uint64_t next_open;
static uint64_t bytes, deliveries, repeats, closed, refused, resyncs, retries, last_open;
static char refusal[64]; /* the last one's first words */
static struct delivery *kept;
static size_t kept_len, kept_cap;
static uint64_t *took;
static size_t took_len, took_cap;

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * S + t.tv_nsec;
}

static void *grown(void *list, size_t len, size_t *cap, size_t size) {
    if (len < *cap) return list;
    *cap = *cap ? *cap * 2 : 1 << 16;
    list = realloc(list, *cap * size);
    if (!list) { perror("load"); exit(1); }
    return list;
}

/* ---- A screen's life ------------------------------------------------------------------------------------------- */

static void knock(struct screen *s) {
    int index = s - screens, one = 1;
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + index % SOURCES)};
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0) { perror("load: socket"); exit(1); }
    setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    bind(s->fd, (struct sockaddr *)&source, sizeof source);
    s->state = KNOCKING;
    s->head_len = s->carried = s->line_len = s->replaying = 0;
    s->event[0] = s->id[0] = 0;
    if (!s->head) s->head = malloc(HEAD);
    struct epoll_event want = {.events = EPOLLOUT, .data.u32 = index};
    epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &want);
    connect(s->fd, (struct sockaddr *)&server, sizeof server); /* its outcome comes as an event */
}

static void ask(struct screen *s) {
    char text[4096];
    int len = snprintf(text, sizeof text, "%s%s%s%s\r\n", requests[s->request], s->cursor[0] ? "Last-Event-ID: " : "",
                       s->cursor, s->cursor[0] ? "\r\n" : "");
    if (send(s->fd, text, len, MSG_NOSIGNAL) != len) return; /* the error comes as an event */
    struct epoll_event want = {.events = EPOLLIN, .data.u32 = s - screens};
    epoll_ctl(epoll, EPOLL_CTL_MOD, s->fd, &want);
}

/* Full jitter, as static/js does it; `at_least` is what the server asked for. */
static void go_away(struct screen *s, uint64_t at_least) {
    uint64_t most = s->failures < 5 ? S << s->failures : LONGEST_AWAY_S * S;
    s->failures++;
    s->state = AWAY;
    s->due = now() + at_least + (uint64_t)(drand48() * most);
    retries++;
}

static void end(struct screen *s, int was_refused, uint64_t at_least) {
    if (s->state == OPEN) open_count--;
    if (was_refused) refused++; else closed++;
    close(s->fd);
    s->fd = -1;
    if (keeps) go_away(s, at_least);
    else s->state = UNUSED;
}

static void is_open(struct screen *s) {
    if (s->state == OPEN) return;
    uint64_t at = now();
    s->state = OPEN;
    s->failures = 0;
    open_count++;
    last_open = at;
    took = grown(took, took_len, &took_cap, sizeof *took);
    took[took_len++] = at - s->began;
    free(s->head);
    s->head = NULL;
}

/* ---- What it reads --------------------------------------------------------------------------------------------- */

static void deliver(struct screen *s, uint32_t number, uint64_t at) {
    if (number <= s->newest) { repeats++; return; }
    s->newest = number;
    deliveries++;
    kept = grown(kept, kept_len, &kept_cap, sizeof *kept);
    kept[kept_len++] = (struct delivery){number, s - screens, at};
    if (number >= NUMBERS) return;
    struct number *n = &numbers[number];
    if (!n->count++) n->first = at;
    n->last = at;
    if ((int)n->count == open_count)
        printf("{\"full\": %u, \"first\": %lu, \"last\": %lu}\n", number, n->first, n->last);
}

/* Finds the marks in what was carried over and in these bytes. `data` has CARRY free bytes before it. */
static void find_marks(struct screen *s, char *data, size_t len, uint64_t at) {
    char *end = data + len, *from = data - s->carried, *hit;
    memcpy(from, s->carry, s->carried);
    s->carried = 0;
    while ((hit = memmem(from, end - from, MARK, sizeof MARK - 1))) {
        char *digit = hit + sizeof MARK - 1;
        while (digit < end && (*digit == '"' || *digit == '\\')) digit++;
        char *after = digit;
        uint32_t number = 0;
        while (after < end && *after >= '0' && *after <= '9') number = number * 10 + (*after++ - '0');
        if (after == end) { from = hit; break; }
        deliver(s, number, at);
        from = after;
    }
    int most = hit ? CARRY : (int)sizeof MARK - 2;
    s->carried = end - from < most ? end - from : most;
    memcpy(s->carry, end - s->carried, s->carried);
}

static void take_event(struct screen *s) {
    if (!strcmp(s->event, "resync")) resyncs++;
    if (s->id[0]) strcpy(s->cursor, s->id);
    if (strcmp(s->event, "hello")) s->replaying = 0; /* what follows a hello that promises a replay is the replay */
    if (s->event[0] && !s->replaying) is_open(s);
    s->event[0] = s->id[0] = 0;
}

static void take_line(struct screen *s) {
    s->line[s->line_len] = 0;
    if (!s->line_len) take_event(s);
    else if (!strncmp(s->line, "event: ", 7)) snprintf(s->event, sizeof s->event, "%s", s->line + 7);
    else if (!strncmp(s->line, "id: ", 4)) snprintf(s->id, sizeof s->id, "%s", s->line + 4);
    else if (!strcmp(s->event, "hello")) {
        s->replaying = strstr(s->line, "\"replay\": true") != NULL;
        char *cursor = strstr(s->line, "\"cursor\": \"");
        if (cursor && !s->replaying) sscanf(cursor, "\"cursor\": \"%63[^\"]", s->cursor);
    }
    s->line_len = 0;
}

static void take_lines(struct screen *s, const char *data, size_t len) {
    for (const char *end = data + len, *from = data; from < end;) {
        const char *stop = memchr(from, '\n', end - from);
        size_t some = (stop ? stop : end) - from, room = LINE - 1 - s->line_len;
        memcpy(s->line + s->line_len, from, some < room ? some : room);
        s->line_len += some < room ? some : room;
        if (!stop) return;
        take_line(s);
        from = stop + 1;
    }
}

static void take_body(struct screen *s, char *data, size_t len, uint64_t at) {
    if (keeps) take_lines(s, data, len);
    find_marks(s, data, len, at);
}

static uint64_t retry_after(const char *head) {
    const char *field = strcasestr(head, "\r\nRetry-After:");
    return field ? strtoul(field + 14, NULL, 10) * S : 0;
}

/* The answer's head, and what follows it until READY; `data` is what came last. */
static void take_head(struct screen *s, const char *data, size_t len, uint64_t at) {
    static char body[CARRY + HEAD + READ];
    size_t room = HEAD - 1 - s->head_len, some = len < room ? len : room;
    int had_head = s->head_len && strstr(s->head, "\r\n\r\n");
    memcpy(s->head + s->head_len, data, some);
    s->head[s->head_len += some] = 0;
    char *head_end = strstr(s->head, "\r\n\r\n");
    if (!head_end) return;
    if (strncmp(s->head, "HTTP/1.1 200", 12) && strncmp(s->head, "HTTP/1.1 101", 12)) {
        snprintf(refusal, sizeof refusal, "%.*s", (int)strcspn(s->head, "\r\"\\"), s->head);
        end(s, 1, retry_after(s->head));
        return;
    }
    if (!had_head && say_len) send(s->fd, say, say_len, MSG_NOSIGNAL);
    if (!strstr(s->head, ready)) return;
    size_t rest = s->head + s->head_len - (head_end + 4);
    memcpy(body + CARRY, head_end + 4, rest);
    memcpy(body + CARRY + rest, data + some, len - some);
    s->head_len = PAST_HEAD;
    if (!keeps) is_open(s);
    take_body(s, body + CARRY, rest + len - some, at);
}

static void take(struct screen *s) {
    static char buffer[CARRY + READ];
    ssize_t len = recv(s->fd, buffer + CARRY, READ, 0);
    if (len < 0 && errno == EAGAIN) return;
    if (len <= 0) { end(s, 0, 0); return; }
    bytes += len;
    if (s->head_len != PAST_HEAD) take_head(s, buffer + CARRY, len, now());
    else take_body(s, buffer + CARRY, len, now());
}

/* ---- Orders ---------------------------------------------------------------------------------------------------- */

static void tell_count(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    double cpu = u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
    int away = 0;
    for (int i = 0; i < used; i++) away += screens[i].state == AWAY;
    printf("{\"open\": %d, \"away\": %d, \"closed\": %lu, \"refused\": %lu, \"retries\": %lu, \"resyncs\": %lu, "
           "\"repeats\": %lu, \"refusal\": \"%s\", \"deliveries\": %lu, \"bytes\": %lu, \"last_open\": %lu, \"cpu_s\": %.6f}\n",
           open_count, away, closed, refused, retries, resyncs, repeats, refusal, deliveries, bytes, last_open, cpu);
}

static void tell_opened(void) {
    printf("{\"ms\": [");
    for (size_t i = 0; i < took_len; i++) printf("%s%.3f", i ? ", " : "", took[i] / 1e6);
    printf("]}\n");
    took_len = 0;
}

static void write_latencies(const char *path) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(kept, sizeof *kept, kept_len, file) != kept_len || fclose(file)) { perror(path); exit(1); }
    printf("{\"written\": %zu}\n", kept_len);
    kept_len = 0;
}

static void obey(char *order) {
    char path[512];
    int n;
    double r;
    if (sscanf(order, "open %d %lf", &n, &r) == 2) { to_open += n; rate = r; next_open = now(); }
    else if (sscanf(order, "latencies %511s", path) == 1) write_latencies(path);
    else if (!strncmp(order, "opened", 6)) tell_opened();
    else if (!strncmp(order, "count", 5)) tell_count();
    else { fprintf(stderr, "load: cannot do: %s", order); exit(1); }
}

static void open_one(uint64_t due) {
    struct screen *s = screens;
    while (s->state != UNUSED) s++;
    if (s - screens >= used) used = s - screens + 1;
    if (used >= MOST) { fprintf(stderr, "load: more than %d screens\n", MOST); exit(1); }
    s->request = (s - screens) % request_count;
    s->began = due;
    s->failures = 0;
    s->newest = 0;
    s->cursor[0] = 0;
    knock(s);
}

/* What is due now; how long until the next may be, in ms. */
static int do_what_is_due(void) {
    uint64_t at = now();
    for (; to_open && next_open <= at; to_open--, next_open += S / rate) open_one(next_open);
    for (int i = 0; keeps && i < used; i++)
        if (screens[i].state == AWAY && screens[i].due <= at) { screens[i].began = at; knock(&screens[i]); }
    return to_open ? 1 : keeps ? 5 : 1000;
}

static void on_event(struct epoll_event *event) {
    struct screen *s = &screens[event->data.u32];
    if (s->fd < 0 || s->state == AWAY || s->state == UNUSED) return;
    if (event->events & EPOLLOUT) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error) {
            snprintf(refusal, sizeof refusal, "%s", strerror(error));
            end(s, 1, 0);
        } else ask(s);
    } else take(s);
}

static void read_orders(void) {
    static char text[4096];
    static size_t len;
    ssize_t more = read(0, text + len, sizeof text - 1 - len);
    if (more <= 0) exit(0);
    text[len += more] = 0;
    char *line = text, *stop;
    for (; (stop = strchr(line, '\n')); line = stop + 1) { *stop = 0; obey(line); }
    len -= line - text;
    memmove(text, line, len);
}

static void read_requests(const char *path) {
    static char text[1 << 18];
    FILE *file = fopen(path, "rb");
    size_t len = file ? fread(text, 1, sizeof text - 1, file) : 0;
    for (char *from = text; from < text + len && request_count < REQUESTS; from += strlen(from) + 1)
        requests[request_count++] = from;
    if (!request_count) { fprintf(stderr, "load: no request in %s\n", path); exit(1); }
}

int main(int argc, char **argv) {
    if (argc != 7) { fprintf(stderr, "load HOST PORT REQUESTS READY SAY KEEPS\n"); return 2; }
    server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    inet_pton(AF_INET, argv[1], &server.sin_addr);
    read_requests(argv[3]);
    ready = argv[4];
    for (unsigned byte; say_len < (int)sizeof say && sscanf(argv[5] + 2 * say_len, "%2x", &byte) == 1;) say[say_len++] = byte;
    keeps = atoi(argv[6]);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    srand48(1);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event orders = {.events = EPOLLIN, .data.u32 = MOST};
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &orders);
    for (;;) {
        struct epoll_event events[512];
        int wait = do_what_is_due(), count = epoll_wait(epoll, events, 512, wait);
        for (int i = 0; i < count; i++)
            if (events[i].data.u32 == MOST) read_orders();
            else on_event(&events[i]);
    }
}
