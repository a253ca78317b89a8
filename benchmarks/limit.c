/*
 * What no server can beat by much: epoll, the finished frame, one send() a subscriber.
 *
 *     cc -O2 -std=gnu11 -o limit limit.c
 *     limit PORT          one send() for each subscriber and message
 *     limit PORT -b       one for each subscriber and turn of the loop: the messages of a turn are joined
 *
 * A limit and no server: it lets everybody in, knows one channel, checks nothing and remembers nothing.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_ROOM (1 << 18)
#define FRAME_ROOM 16384
#define MOST 65536

struct game {
    int fd;
    bool upgraded, subscribed, spoke;
    size_t place;                    /* among the subscribers */
    unsigned char *rest, *backlog;   /* an unfinished frame that came; what waits to be sent */
    size_t rest_size, backlog_size;
};

/* A message of this turn, in `turn`. */
struct frame { struct game *from; size_t start, size; };

static struct game *subscribers[MOST];
static size_t subscriber_count, frame_count, turn_size;
static struct frame frames[MOST];
static unsigned char turn[1 << 24];
static int poller;
static bool batch;

static void watch(struct game *game, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = game};
    epoll_ctl(poller, EPOLL_CTL_MOD, game->fd, &event);
}

/* Writes what the socket takes now, and keeps the rest until it takes more. */
static void write_game(struct game *game, const unsigned char *data, size_t size) {
    if (!game->backlog_size) {
        ssize_t sent = send(game->fd, data, size, MSG_NOSIGNAL);
        if (sent == (ssize_t)size || (sent < 0 && errno != EAGAIN)) return;
        size_t done = sent < 0 ? 0 : (size_t)sent;
        data += done;
        size -= done;
        watch(game, EPOLLIN | EPOLLOUT);
    }
    game->backlog = realloc(game->backlog, game->backlog_size + size);
    memcpy(game->backlog + game->backlog_size, data, size);
    game->backlog_size += size;
}

static void write_backlog(struct game *game) {
    ssize_t sent = send(game->fd, game->backlog, game->backlog_size, MSG_NOSIGNAL);
    if (sent <= 0) return;
    game->backlog_size -= (size_t)sent;
    memmove(game->backlog, game->backlog + sent, game->backlog_size);
    if (!game->backlog_size) watch(game, EPOLLIN);
}

static size_t make_frame(unsigned char *frame, const char *text, size_t size) {
    size_t head = 0;
    frame[head++] = 0x81;
    if (size < 126)
        frame[head++] = (unsigned char)size;
    else {
        frame[head++] = 126;
        frame[head++] = (unsigned char)(size >> 8);
        frame[head++] = (unsigned char)size;
    }
    memcpy(frame + head, text, size);
    return head + size;
}

static uint64_t chance(void) {
    static uint64_t state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static size_t make_broadcast(unsigned char *frame, const char *message, int size) {
    char text[FRAME_ROOM];
    uint64_t a = chance(), b = chance();
    int length = snprintf(text, sizeof text,
                          "{\"event\":\"channels/broadcast\",\"ref\":\"%08x-%04x-4%03x-a%03x-%012lx\",\"payload\":{\"channel\":"
                          "\"gossip\",\"game\":\"Game1\",\"name\":\"Player\",\"message\":\"%.*s\"}}",
                          (uint32_t)a, (unsigned)(a >> 32 & 0xffff), (unsigned)(a >> 48 & 0xfff), (unsigned)(b & 0xfff),
                          (unsigned long)(b >> 16), size, message);
    return make_frame(frame, text, (size_t)length);
}

static void said(struct game *game, const char *text, size_t size) {
    static const char key[] = "\"message\":\"";
    const char *message = memmem(text, size, key, sizeof key - 1);
    if (!message) return;
    message += sizeof key - 1;
    const char *end = memchr(message, '"', size - (size_t)(message - text));
    if (!end || turn_size + FRAME_ROOM > sizeof turn || frame_count == MOST) return;
    size_t made = make_broadcast(turn + turn_size, message, (int)(end - message));
    if (batch) {
        frames[frame_count++] = (struct frame){game, turn_size, made};
        turn_size += made;
        game->spoke = true;
        return;
    }
    for (size_t i = 0; i < subscriber_count; i++)
        if (subscribers[i] != game) write_game(subscribers[i], turn, made);
}

/* Who spoke in this turn gets what the others said. */
static void write_others(struct game *game) {
    for (size_t i = 0; i < frame_count;) {
        while (i < frame_count && frames[i].from == game) i++;
        size_t first = i;
        while (i < frame_count && frames[i].from != game) i++;
        if (i > first)
            write_game(game, turn + frames[first].start, frames[i - 1].start + frames[i - 1].size - frames[first].start);
    }
}

static void end_of_turn(void) {
    if (!frame_count) return;
    for (size_t i = 0; i < subscriber_count; i++) {
        if (subscribers[i]->spoke) write_others(subscribers[i]);
        else write_game(subscribers[i], turn, turn_size);
    }
    for (size_t i = 0; i < frame_count; i++) frames[i].from->spoke = false;
    frame_count = turn_size = 0;
}

static void authenticated(struct game *game) {
    static const char answer[] = "{\"event\":\"authenticate\",\"status\":\"success\",\"payload\":{\"version\":\"2.3.0\"}}";
    unsigned char frame[256];
    if (game->subscribed || subscriber_count == MOST) return;
    write_game(game, frame, make_frame(frame, answer, sizeof answer - 1));
    game->subscribed = true;
    game->place = subscriber_count;
    subscribers[subscriber_count++] = game;
}

static size_t upgrade(struct game *game, unsigned char *data, size_t size) {
    /* The answer to the key in RFC 6455's example, which load.c always sends. */
    static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    const unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end) return 0;
    write_game(game, (const unsigned char *)answer, sizeof answer - 1);
    game->upgraded = true;
    return (size_t)(end + 4 - data);
}

/* Takes one masked frame; 0 if it is not all there. */
static size_t take_frame(struct game *game, unsigned char *data, size_t size) {
    if (size < 8) return 0;
    size_t length = data[1] & 127, head = 2;
    if (length == 126) {
        length = (size_t)data[2] << 8 | data[3];
        head = 4;
    }
    if (size < head + 4 + length) return 0;
    unsigned char *mask = data + head, *text = mask + 4;
    for (size_t i = 0; i < length; i++) text[i] ^= mask[i & 3];
    if (memmem(text, length, "\"channels/send\"", 15)) said(game, (char *)text, length);
    else if (memmem(text, length, "\"authenticate\"", 14)) authenticated(game);
    return head + 4 + length;
}

static void lose(struct game *game) {
    if (game->subscribed) {
        subscribers[game->place] = subscribers[--subscriber_count];
        subscribers[game->place]->place = game->place;
    }
    /* What it said in this turn must not outlive it. */
    if (game->spoke) end_of_turn();
    close(game->fd);
    free(game->rest);
    free(game->backlog);
    free(game);
}

/* Returns whether the game is still there. */
static bool read_game(struct game *game) {
    static unsigned char room[READ_ROOM];
    size_t size = game->rest_size, taken = 0;
    if (size) memcpy(room, game->rest, size);
    ssize_t got = recv(game->fd, room + size, READ_ROOM - size, 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) {
        lose(game);
        return false;
    }
    size += (size_t)got;
    while (taken < size) {
        size_t frame = (game->upgraded ? take_frame : upgrade)(game, room + taken, size - taken);
        if (!frame) break;
        taken += frame;
    }
    game->rest_size = size - taken;
    if (game->rest_size) {
        game->rest = realloc(game->rest, game->rest_size);
        memcpy(game->rest, room + taken, game->rest_size);
    }
    return true;
}

static void accept_games(int listener) {
    int yes = 1;
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct game *game = calloc(1, sizeof *game);
        game->fd = fd;
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = game};
        epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
    }
}

static int listen_on(int port) {
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    struct sockaddr_in address = {AF_INET, htons((uint16_t)port), {htonl(INADDR_LOOPBACK)}, {0}};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) {
        perror("limit");
        exit(1);
    }
    return listener;
}

int main(int count, char **arguments) {
    if (count < 2) {
        fputs("usage: limit PORT [-b]\n", stderr);
        return 2;
    }
    batch = count > 2 && !strcmp(arguments[2], "-b");
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(atoi(arguments[1]));
    poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event listening = {.events = EPOLLIN}, events[1024];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &listening);
    for (;;) {
        int happened = epoll_wait(poller, events, 1024, -1);
        for (int i = 0; i < happened; i++) {
            struct game *game = events[i].data.ptr;
            if (!game) accept_games(listener);
            else if (!(events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) || read_game(game))
                if (events[i].events & EPOLLOUT && game->backlog_size) write_backlog(game);
        }
        if (batch) end_of_turn();
    }
}
