/* An SMTP server that accepts everything and keeps nothing: fast enough to show the senders' own limits, and
 * slow on purpose where asked, so that latency can be measured without a network.
 *
 * csink PORT [-l MS] [-d MS] [-c]    -l: every reply comes MS after its command; -d: the reply to a message
 * comes MS later still; -c: announces CHUNKING. Prints "ready" when it listens; counts go to stdout at SIGTERM. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { COMMANDS, CONTENT, CHUNK };
enum { MOST = 2048, PENDING = 256, ROOM = 1 << 18 };

struct reply { double due; const char *text; };
struct session {
    int fd, state, head, tail;
    long chunk;
    size_t used;
    struct reply pending[PENDING];
    char room[ROOM];
};

static struct session *sessions[MOST];
static double latency, content_delay;
static int chunking;
static long messages;
static volatile sig_atomic_t stop;

static void on_term(int number) { (void)number; stop = 1; }

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void drop(struct session *s)
{
    close(s->fd);
    sessions[s->fd] = NULL;
    free(s);
}

static void answer(struct session *s, const char *text, double delay)
{
    struct reply *r = &s->pending[s->tail++ % PENDING];
    r->due = latency + delay > 0 ? now() + latency + delay : 0;
    r->text = text;
}

static void flush(struct session *s, double at)
{
    char out[8192];
    size_t used = 0;
    while (s->head != s->tail && s->pending[s->head % PENDING].due <= at) {
        const char *text = s->pending[s->head++ % PENDING].text;
        size_t length = strlen(text);
        memcpy(out + used, text, length);
        used += length;
    }
    if (used && write(s->fd, out, used) < 0) s->state = COMMANDS; /* the read that follows sees the end */
}

static void command(struct session *s, const char *line)
{
    if (!strncasecmp(line, "EHLO", 4))
        answer(s, chunking ? "250-csink\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 8BITMIME\r\n"
                           : "250-csink\r\n250-PIPELINING\r\n250 8BITMIME\r\n", 0);
    else if (!strncasecmp(line, "DATA", 4)) {
        answer(s, "354 go on\r\n", 0);
        s->state = CONTENT;
    } else if (!strncasecmp(line, "BDAT", 4)) {
        s->chunk = atol(line + 4);
        s->state = CHUNK;
    } else if (!strncasecmp(line, "QUIT", 4))
        answer(s, "221 bye\r\n", 0);
    else
        answer(s, "250 2.0.0 Ok\r\n", 0);
}

static void taken(struct session *s)
{
    messages++;
    s->state = COMMANDS;
    answer(s, "250 2.0.0 Ok: queued\r\n", content_delay);
}

/* Work through what has come; return how many bytes are done with. */
static size_t work(struct session *s)
{
    char *at = s->room, *end = s->room + s->used, *found;
    while (at < end) {
        if (s->state == CHUNK) {
            long part = end - at < s->chunk ? end - at : s->chunk;
            at += part;
            if ((s->chunk -= part) == 0) taken(s);
        } else if (s->state == CONTENT) {
            if (!(found = memmem(at, end - at, "\r\n.\r\n", 5))) return (end - at > 4 ? end - 4 : at) - s->room;
            at = found + 5;
            taken(s);
        } else {
            if (!(found = memmem(at, end - at, "\r\n", 2))) break;
            *found = 0;
            command(s, at);
            at = found + 2;
        }
    }
    return at - s->room;
}

static int receive(struct session *s)
{
    ssize_t got = read(s->fd, s->room + s->used, ROOM - s->used);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    s->used += got;
    size_t done = work(s);
    memmove(s->room, s->room + done, s->used - done);
    s->used -= done;
    return 1;
}

static void welcome(int listener, int poller)
{
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        if (fd >= MOST) { close(fd); continue; }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        sessions[fd] = calloc(1, sizeof(struct session));
        sessions[fd]->fd = fd;
        answer(sessions[fd], "220 csink ESMTP\r\n", 0);
        flush(sessions[fd], now());
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static int next_due(double at)
{
    double soonest = at + 1000;
    for (int fd = 0; fd < MOST; fd++) {
        struct session *s = sessions[fd];
        if (!s || s->head == s->tail) continue;
        flush(s, at);
        if (s->head != s->tail && s->pending[s->head % PENDING].due < soonest) soonest = s->pending[s->head % PENDING].due;
    }
    return soonest - at < 1 ? 1 : (int)(soonest - at);
}

int main(int count, char **words)
{
    int option, one = 1;
    while ((option = getopt(count, words, "l:d:c")) != -1) {
        if (option == 'l') latency = atof(optarg);
        else if (option == 'd') content_delay = atof(optarg);
        else if (option == 'c') chunking = 1;
        else return 2;
    }
    if (optind >= count) return 2;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[optind]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poller = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 512)) return perror("csink"), 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[256];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    signal(SIGTERM, on_term);
    signal(SIGPIPE, SIG_IGN);
    puts("ready");
    fflush(stdout);
    while (!stop) {
        int timeout = latency + content_delay > 0 ? next_due(now()) : -1;
        int ready = epoll_wait(poller, events, 256, timeout);
        for (int i = 0; i < ready; i++) {
            struct session *s = events[i].data.fd == listener ? NULL : sessions[events[i].data.fd];
            if (!s) welcome(listener, poller);
            else if (!receive(s)) drop(s);
            else flush(s, now());
        }
    }
    printf("%ld\n", messages);
    return 0;
}
