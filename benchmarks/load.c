/*
 * Many games at once, to measure a server: the load of `python -m benchmarks`, which compiles it and calls it.
 *
 *     cc -O2 -std=gnu11 -o load load.c                                  plain
 *     cc -O2 -std=gnu11 -DWITH_TLS -o load load.c -lssl -lcrypto        and with -T
 *
 * One thread and epoll, so that the load costs less than what it measures. It connects -n games, authenticates them,
 * subscribes all to one channel, and does one thing:
 *
 *     -w W -t S       saturate: keep W messages in flight for S seconds
 *     -r RATE -t S    a steady RATE of messages a second for S seconds, counted from when each was due
 *     -i S            nothing but answer heartbeats for S seconds
 *
 *     -p PORT[,PORT] -n GAMES -f FILE   a line "client_id client_secret" in FILE for each game; with several ports, each
 *                                  port has the next game in turn
 *     -P PROTOCOL                  ws (the default), line (the telnet bridge), nats, mqtt
 *     -s PID[,PID]                 of the server, whose CPU time and memory are read from /proc
 *     -e PID                       of the PostgreSQL behind it, which is counted with all its children
 *     -m GAMES                     how many of the games speak, in turn (1)
 *     -a                           measure acknowledgements: all speak, each on a channel of its own, with a ref
 *     -A                           each message has a ref, so that its sender is told when it is kept
 *     -x N                         every Nth game stops reading once it has joined
 *     -b BYTES                     the length of a message (80)      -c N   connects at a time (64)
 *     -W S                         seconds of warming up (1)
 *     -T  TLS      -z  permessage-deflate, or MCCP2 on the bridge
 *
 * It prints one line of JSON. Times are microseconds: cpu_us is the server's for each delivery, p50 to p999 are from
 * sending a message to each receipt of it. all_cpu_us counts the database as well; across_p50 and across_p99 are of the
 * receipts at another port than the sender's, or of all if there is one.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef WITH_TLS
#include <openssl/ssl.h>
#else
typedef void SSL;
#endif

#define SECOND 1000000000ull
#define PATIENCE (30 * SECOND)     /* nothing happens for so long: the server is stuck */
#define READ_ROOM (1 << 20)        /* bytes a read; no frame is longer */
#define IDS 65536                  /* the maximum number of messages in flight */
#define PER_ADDRESS 4000           /* connections from one address of the loopback: ports are finite */
#define MESSAGE_ROOM 16384
#define MOST_SERVERS 16

enum stage { CONNECTING, HANDSHAKING_TLS, UPGRADING, JOINING, COMPRESSING, JOINED, DEAF };

struct game {
    int fd, index;
    enum stage stage;
    uint64_t began;          /* when it began to connect */
    unsigned char *rest;     /* the beginning of a frame that is not all there yet */
    size_t rest_size, rest_room;
    SSL *tls;
};

struct protocol {
    const char *name;
    void (*greet)(struct game *);                                      /* the connection is there */
    size_t (*parse)(struct game *, unsigned char *, size_t);           /* takes one frame; 0 if it is not all there */
    void (*say)(struct game *, const char *message, const char *ref);  /* on the channel; ref may be NULL */
    bool echoes;                                                       /* who speaks hears it too */
};

static const struct protocol *protocol;
static struct game *games;
static char (*credentials)[2][64];
static int game_count = 100, speakers = 1, at_once = 64, stalled_every, message_size = 80, window;
static int ports[MOST_SERVERS], port_count, servers[MOST_SERVERS], server_count, engine;
static bool use_tls, use_deflate, acknowledged, answered;
static double seconds = 2, warm_up = 1, rate, idle_seconds;

static int poller, joined, connecting, next_game;
static uint64_t heard, said, heartbeats, expected;
static uint32_t next_id;
static int in_flight, next_speaker;
static uint32_t times_heard[IDS];
static int port_said[IDS]; /* which port's game said it */
static bool refilling;
static uint64_t read_at; /* when what is heard now was read: to ask the clock for each frame costs the load too much */

/* Ends. */

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, " (%d of %d joined, %lu said, %lu heard, %d in flight)\n", joined, game_count, (unsigned long)said,
            (unsigned long)heard, in_flight);
    exit(1);
}

/* Time. */

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND + (uint64_t)time.tv_nsec;
}

/* A histogram of nanoseconds with 64 steps to each doubling: every value within 1.6 %. */

#define STEPS 64
struct histogram { uint64_t counts[64 * STEPS]; };
static struct histogram latencies, across, join_times;

static void record(struct histogram *histogram, uint64_t value) {
    if (value < STEPS) {
        histogram->counts[value]++;
        return;
    }
    int top = 63 - __builtin_clzll(value);
    histogram->counts[(top - 5) * STEPS + (int)(value >> (top - 6) & (STEPS - 1))]++;
}

static double percentile(const struct histogram *histogram, double part) {
    uint64_t total = 0, below = 0;
    for (int i = 0; i < 64 * STEPS; i++) total += histogram->counts[i];
    for (int i = 0; i < 64 * STEPS; i++) {
        below += histogram->counts[i];
        if (below > (uint64_t)(part * (double)total)) {
            uint64_t value = i < STEPS ? (uint64_t)i : 1ull << (i / STEPS + 5) | (uint64_t)(i % STEPS) << (i / STEPS - 1);
            return (double)value / 1e3;
        }
    }
    return 0;
}

/* What the server used, from /proc. */

static uint64_t cpu_of(int process) {
    char path[64 + 256];
    uint64_t total = 0;
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *tasks = opendir(path);
    if (!tasks) return 0;
    for (struct dirent *task; (task = readdir(tasks));) {
        unsigned long long nanoseconds;
        snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", process, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!file) continue;
        if (fscanf(file, "%llu", &nanoseconds) == 1) total += nanoseconds;
        fclose(file);
    }
    closedir(tasks);
    return total;
}

static uint64_t server_cpu(void) {
    uint64_t total = 0;
    for (int i = 0; i < server_count; i++) total += cpu_of(servers[i]);
    return total;
}

/* PostgreSQL has a process for each connection. */
static uint64_t engine_cpu(void) {
    if (!engine) return 0;
    uint64_t total = cpu_of(engine);
    DIR *processes = opendir("/proc");
    for (struct dirent *entry; processes && (entry = readdir(processes));) {
        char path[64];
        int parent = 0, process = atoi(entry->d_name);
        if (!process) continue;
        snprintf(path, sizeof path, "/proc/%d/stat", process);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        /* The name, in parentheses, may hold anything. */
        if (fscanf(file, "%*d (%*[^)]) %*c %d", &parent) == 1 && parent == engine) total += cpu_of(process);
        fclose(file);
    }
    if (processes) closedir(processes);
    return total;
}

static long server_kib(void) {
    long total = 0;
    for (int i = 0; i < server_count; i++) {
        char path[64], line[256];
        long kib = 0;
        snprintf(path, sizeof path, "/proc/%d/status", servers[i]);
        FILE *file = fopen(path, "r");
        if (!file) continue;
        while (fgets(line, sizeof line, file))
            if (sscanf(line, "VmRSS: %ld", &kib) == 1) break;
        total += kib;
        fclose(file);
    }
    return total;
}

struct snapshot { uint64_t at, cpu, engine_cpu, own_cpu, heard, said; };

static struct snapshot snapshot(void) {
    struct timespec own;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    return (struct snapshot){now(), server_cpu(), engine_cpu(), (uint64_t)own.tv_sec * SECOND + (uint64_t)own.tv_nsec,
                             heard, said};
}

/* Bytes. */

static long write_some(struct game *game, const char *data, size_t size) {
#ifdef WITH_TLS
    if (game->tls) {
        int written = SSL_write(game->tls, data, (int)size);
        return written > 0 ? written : 0;
    }
#endif
    ssize_t sent = send(game->fd, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) fail("game %d cannot send: %s", game->index, strerror(errno));
    return sent < 0 ? 0 : sent;
}

/* What we send is small: a server that does not take it at once is given a while. */
static void write_all(struct game *game, const void *data, size_t size) {
    uint64_t began = now();
    for (size_t sent = 0; sent < size;) {
        sent += (size_t)write_some(game, (const char *)data + sent, size - sent);
        if (sent < size && now() - began > PATIENCE) fail("the server does not read");
    }
}

static long read_some(struct game *game, unsigned char *room, size_t size) {
#ifdef WITH_TLS
    if (game->tls) {
        int got = SSL_read(game->tls, room, (int)size);
        if (got > 0) return got;
        if (SSL_get_error(game->tls, got) == SSL_ERROR_WANT_READ) return 0;
        fail("game %d lost its connection", game->index);
    }
#endif
    ssize_t got = recv(game->fd, room, size, 0);
    if (got > 0) return got;
    if (got < 0 && errno == EAGAIN) return 0;
    fail("game %d lost its connection: %s", game->index, got ? strerror(errno) : "closed");
}

/* Messages: each carries "@T", when it was said and its number, in hexadecimal. */

#define MARK_SIZE (2 + 16 + 8)

static uint64_t hexadecimal(const unsigned char *digits, int count) {
    uint64_t value = 0;
    for (int i = 0; i < count; i++) value = value << 4 | (uint64_t)(digits[i] <= '9' ? digits[i] - '0' : digits[i] - 'a' + 10);
    return value;
}

static void say(struct game *game, uint64_t due) {
    static const char talk[] = " hello there, does anyone know the way to the old lighthouse from the docks?";
    char mark[MARK_SIZE + 1], message[MESSAGE_ROOM];
    uint32_t id = next_id++;
    times_heard[id % IDS] = 0;
    port_said[id % IDS] = game->index % port_count;
    snprintf(mark, sizeof mark, "@T%016lx%08x", (unsigned long)due, id);
    int size = acknowledged ? 0 : snprintf(message, sizeof message, "%s", mark);
    while (size < message_size) {
        message[size] = talk[(size_t)size % (sizeof talk - 1)];
        size++;
    }
    message[size] = 0;
    protocol->say(game, message, acknowledged ? mark : answered ? "r" : NULL);
    said++;
    in_flight++;
}

static void say_next(uint64_t due) {
    struct game *speaker;
    do speaker = &games[next_speaker++ % speakers];
    while (speaker->stage == DEAF && stalled_every);
    say(speaker, due);
}

/* A game heard something that may be a message. */
static bool hear(const struct game *game, const unsigned char *text, size_t size) {
    const unsigned char *mark = memmem(text, size, "@T", 2);
    if (!mark || mark + MARK_SIZE > text + size) return false;
    uint64_t due = hexadecimal(mark + 2, 16);
    uint32_t id = (uint32_t)hexadecimal(mark + 18, 8);
    uint64_t took = read_at > due ? read_at - due : 0;
    record(&latencies, took);
    if (port_count == 1 || port_said[id % IDS] != game->index % port_count) record(&across, took);
    heard++;
    if (++times_heard[id % IDS] == expected) {
        in_flight--;
        if (refilling) say_next(now());
    }
    return true;
}

static void connect_more(void);

static void has_joined(struct game *game) {
    record(&join_times, now() - game->began);
    bool stalls = stalled_every && game->index % stalled_every == stalled_every - 1;
    game->stage = stalls || (use_deflate && protocol->name[0] == 'l') ? DEAF : JOINED;
    if (stalls) epoll_ctl(poller, EPOLL_CTL_DEL, game->fd, NULL);
    joined++;
    connecting--;
    connect_more();
}

/* The channel of a game: all share one, or each has its own (names are letters). */
static const char *channel_of(const struct game *game) {
    static char name[16];
    if (!acknowledged) return "gossip";
    int n = game->index;
    snprintf(name, sizeof name, "own-%c%c%c", 'a' + n / 676 % 26, 'a' + n / 26 % 26, 'a' + n % 26);
    return name;
}

/* Websocket (RFC 6455). */

enum { TEXT = 1, CLOSE = 8, PING = 9, PONG = 10 };

static void websocket_send(struct game *game, int opcode, const char *payload, size_t size) {
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    unsigned char frame[MESSAGE_ROOM * 2];
    size_t head = 2;
    bool deflated = use_deflate && opcode == TEXT;
    /* A stored block (RFC 1951) is compression enough to make the server inflate; RFC 7692 ends it with a zero. */
    size_t length = deflated ? size + 6 : size;
    frame[0] = (unsigned char)(0x80 | (deflated ? 0x40 : 0) | opcode);
    frame[1] = (unsigned char)(0x80 | (length < 126 ? length : 126));
    if (length >= 126) {
        frame[head++] = (unsigned char)(length >> 8);
        frame[head++] = (unsigned char)length;
    }
    memcpy(frame + head, mask, 4);
    unsigned char *text = frame + head + 4;
    if (deflated) {
        unsigned char block[5] = {0, (unsigned char)size, (unsigned char)(size >> 8), (unsigned char)~size,
                                  (unsigned char)(~size >> 8)};
        memcpy(text, block, 5);
        memcpy(text + 5, payload, size);
        text[5 + size] = 0;
    } else
        memcpy(text, payload, size);
    for (size_t i = 0; i < length; i++) text[i] ^= mask[i & 3];
    write_all(game, frame, head + 4 + length);
}

static void websocket_greet(struct game *game) {
    char request[512];
    /* The key of RFC 6455's example: limit.c knows the answer to no other. */
    int size = snprintf(request, sizeof request,
                        "GET /socket HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s\r\n",
                        ports[game->index % port_count], use_deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" : "");
    write_all(game, request, (size_t)size);
    game->stage = UPGRADING;
}

static void websocket_authenticate(struct game *game) {
    char text[1024];
    int size = snprintf(text, sizeof text,
                        "{\"event\":\"authenticate\",\"payload\":{\"client_id\":\"%s\",\"client_secret\":\"%s\",\"supports\":"
                        "[\"channels\"],\"channels\":[\"%s\"],\"players\":[\"Ana\"],\"version\":\"2.3.0\",\"user_agent\":"
                        "\"load 1.0\"}}",
                        credentials[game->index][0], credentials[game->index][1], channel_of(game));
    game->stage = JOINING;
    websocket_send(game, TEXT, text, (size_t)size);
}

static size_t websocket_upgraded(struct game *game, unsigned char *data, size_t size) {
    unsigned char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end) return 0;
    if (memcmp(data, "HTTP/1.1 101", 12)) fail("no upgrade: %.*s", (int)(end - data), data);
    if (use_deflate && !memmem(data, (size_t)(end - data), "permessage-deflate", 18)) fail("no permessage-deflate");
    websocket_authenticate(game);
    return (size_t)(end + 4 - data);
}

static void websocket_text(struct game *game, const unsigned char *text, size_t size) {
    static const char alive[] = "{\"event\":\"heartbeat\",\"payload\":{\"players\":[\"Ana\"]}}";
    if (game->stage == JOINING) {
        /* Compressed ones are not looked into: what comes first is the answer, and a refused game is closed. */
        if (!use_deflate && !memmem(text, size, "success", 7)) fail("refused: %.*s", (int)size, text);
        has_joined(game);
    } else if (!hear(game, text, size) && (use_deflate || memmem(text, size, "\"heartbeat\"", 11))) {
        heartbeats++;
        websocket_send(game, TEXT, alive, sizeof alive - 1);
    }
}

static size_t websocket_parse(struct game *game, unsigned char *data, size_t size) {
    if (game->stage == UPGRADING) return websocket_upgraded(game, data, size);
    if (size < 2) return 0;
    size_t length = data[1] & 127, head = 2;
    if (length == 126) {
        if (size < 4) return 0;
        length = (size_t)data[2] << 8 | data[3];
        head = 4;
    } else if (length == 127)
        fail("a frame longer than we can take");
    if (size < head + length) return 0;
    switch (data[0] & 15) {
    case TEXT: websocket_text(game, data + head, length); break;
    case PING: websocket_send(game, PONG, (const char *)data + head, length); break;
    case CLOSE: fail("game %d was closed: %d", game->index, length < 2 ? 0 : data[head] << 8 | data[head + 1]);
    }
    return head + length;
}

static void websocket_say(struct game *game, const char *message, const char *ref) {
    char text[MESSAGE_ROOM + 512], ref_text[64] = "";
    if (ref) snprintf(ref_text, sizeof ref_text, ",\"ref\":\"%s\"", ref);
    int size = snprintf(text, sizeof text,
                        "{\"event\":\"channels/send\"%s,\"payload\":{\"channel\":\"%s\",\"name\":\"Player\",\"message\":\"%s\"}}",
                        ref_text, channel_of(game), message);
    websocket_send(game, TEXT, text, (size_t)size);
}

/* The telnet bridge: lines. With MCCP2 a game stays deaf from there on, which is enough to see what it costs. */

static void line_send(struct game *game, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line_send(struct game *game, const char *format, ...) {
    char line[MESSAGE_ROOM + 512];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    write_all(game, line, (size_t)size);
}

static void line_greet(struct game *game) {
    line_send(game, "LOGIN %s %s load 1.0\r\nSUBSCRIBE %s\r\n", credentials[game->index][0], credentials[game->index][1],
              channel_of(game));
    game->stage = JOINING;
}

static size_t line_compressing(struct game *game, unsigned char *data, size_t size) {
    unsigned char *start = memmem(data, size, "\xff\xfa\x56\xff\xf0", 5);
    if (!start) return 0;
    has_joined(game);
    return size;
}

static size_t line_parse(struct game *game, unsigned char *data, size_t size) {
    if (game->stage == COMPRESSING) return line_compressing(game, data, size);
    unsigned char *end = memchr(data, '\n', size);
    if (!end) return 0;
    size_t length = (size_t)(end - data);
    if (game->stage == JOINING) {
        if (memmem(data, length, "ERR ", 4) || memmem(data, length, "BYE ", 4)) fail("refused: %.*s", (int)length, data);
        if (length > 12 && !memcmp(data, "OK SUBSCRIBE", 12)) {
            if (use_deflate) {
                game->stage = COMPRESSING;
                write_all(game, "\xff\xfd\x56", 3);
            } else
                has_joined(game);
        }
    } else if (length > 4 && !memcmp(data, "PING", 4)) {
        heartbeats++;
        line_send(game, "PONG\r\n");
    } else
        hear(game, data, length);
    return length + 1;
}

static void line_say(struct game *game, const char *message, const char *ref) {
    if (ref) fail("acknowledgements are measured with -P ws only");
    line_send(game, "SEND %s Player %s\r\n", channel_of(game), message);
}

/* A broadcast as a gossip server would send it, for brokers that hand on what they get. */
static int broadcast(char *room, size_t size, const char *message) {
    return snprintf(room, size,
                    "{\"event\":\"channels/broadcast\",\"ref\":\"28523f5f-c8ab-45f2-8f3f-4c4b0ae7a5a4\",\"payload\":"
                    "{\"channel\":\"gossip\",\"game\":\"Game1\",\"name\":\"Player\",\"message\":\"%s\"}}",
                    message);
}

/* NATS. */

static void nats_greet(struct game *game) {
    static const char hello[] = "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false}\r\nSUB gossip 1\r\nPING\r\n";
    write_all(game, hello, sizeof hello - 1);
    game->stage = JOINING;
}

static size_t nats_parse(struct game *game, unsigned char *data, size_t size) {
    unsigned char *end = memmem(data, size, "\r\n", 2);
    if (!end) return 0;
    size_t line = (size_t)(end - data);
    if (!memcmp(data, "MSG ", 4)) {
        unsigned char *number = memrchr(data, ' ', line);
        size_t length = strtoul((char *)number, NULL, 10);
        if (size < line + 2 + length + 2) return 0;
        hear(game, end + 2, length);
        return line + 2 + length + 2;
    }
    if (!memcmp(data, "PONG", 4) && game->stage == JOINING) has_joined(game);
    if (!memcmp(data, "PING", 4)) write_all(game, "PONG\r\n", 6);
    if (data[0] == '-') fail("nats: %.*s", (int)line, data);
    return line + 2;
}

static void nats_say(struct game *game, const char *message, const char *ref) {
    (void)ref;
    char text[MESSAGE_ROOM + 256], frame[MESSAGE_ROOM + 512];
    int length = broadcast(text, sizeof text, message);
    int size = snprintf(frame, sizeof frame, "PUB gossip %d\r\n%s\r\n", length, text);
    write_all(game, frame, (size_t)size);
}

/* MQTT 3.1.1, quality of service 0. */

static void mqtt_greet(struct game *game) {
    unsigned char hello[64] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0, 0, 0};
    static const unsigned char subscribe[] = {0x82, 11, 0, 1, 0, 6, 'g', 'o', 's', 's', 'i', 'p', 0};
    int name = snprintf((char *)hello + 14, 16, "c%d", game->index);
    hello[1] = (unsigned char)(12 + name);
    hello[13] = (unsigned char)name;
    memcpy(hello + 14 + name, subscribe, sizeof subscribe);
    write_all(game, hello, 14 + (size_t)name + sizeof subscribe);
    game->stage = JOINING;
}

static size_t mqtt_parse(struct game *game, unsigned char *data, size_t size) {
    size_t length = 0, head = 1;
    for (int shift = 0;; shift += 7) {
        if (head >= size) return 0;
        length |= (size_t)(data[head] & 127) << shift;
        if (!(data[head++] & 128)) break;
    }
    if (size < head + length) return 0;
    if (data[0] >> 4 == 9) has_joined(game);
    if (data[0] >> 4 == 3) hear(game, data + head, length);
    return head + length;
}

static void mqtt_say(struct game *game, const char *message, const char *ref) {
    (void)ref;
    unsigned char frame[MESSAGE_ROOM + 512] = {0x30};
    char text[MESSAGE_ROOM + 256];
    size_t length = (size_t)broadcast(text, sizeof text, message), head = 1;
    for (size_t rest = length + 8; rest; rest >>= 7) frame[head++] = (unsigned char)(rest & 127) | (rest > 127 ? 128 : 0);
    memcpy(frame + head, "\0\6gossip", 8);
    memcpy(frame + head + 8, text, length);
    write_all(game, frame, head + 8 + length);
}

static const struct protocol protocols[] = {
    {"ws", websocket_greet, websocket_parse, websocket_say, false},
    {"line", line_greet, line_parse, line_say, false},
    {"nats", nats_greet, nats_parse, nats_say, false},
    {"mqtt", mqtt_greet, mqtt_parse, mqtt_say, true},
};

/* Connections. */

static void connect_game(struct game *game) {
    int yes = 1, little = 4096;
    struct linger at_once_gone = {1, 0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    game->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (game->fd < 0) fail("no socket: %s", strerror(errno));
    setsockopt(game->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(game->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    setsockopt(game->fd, SOL_SOCKET, SO_LINGER, &at_once_gone, sizeof at_once_gone);
    if (stalled_every && game->index % stalled_every == stalled_every - 1)
        setsockopt(game->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + (uint32_t)(game->index / PER_ADDRESS));
    if (bind(game->fd, (void *)&address, sizeof address)) fail("bind: %s", strerror(errno));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)ports[game->index % port_count]);
    game->began = now();
    game->stage = CONNECTING;
    if (connect(game->fd, (void *)&address, sizeof address) && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = game};
    epoll_ctl(poller, EPOLL_CTL_ADD, game->fd, &event);
    connecting++;
}

static void connect_more(void) {
    while (connecting < at_once && next_game < game_count) connect_game(&games[next_game++]);
}

/* The connection is there: from now on only what can be read is of interest. */
static void connected(struct game *game) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = game};
    epoll_ctl(poller, EPOLL_CTL_MOD, game->fd, &event);
    protocol->greet(game);
}

#ifdef WITH_TLS
static void begin_tls(struct game *game) {
    static SSL_CTX *context;
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    }
    game->tls = SSL_new(context);
    SSL_set_fd(game->tls, game->fd);
    SSL_set_connect_state(game->tls);
    game->stage = HANDSHAKING_TLS;
}

static void go_on_with_tls(struct game *game) {
    int done = SSL_do_handshake(game->tls);
    if (done == 1) {
        connected(game);
        return;
    }
    int error = SSL_get_error(game->tls, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) fail("no TLS");
}
#else
static void begin_tls(struct game *game) {
    (void)game;
    fail("compiled without TLS");
}
static void go_on_with_tls(struct game *game) { (void)game; }
#endif

static void keep_rest(struct game *game, const unsigned char *data, size_t size) {
    if (game->rest_room < size) {
        game->rest_room = size + 512;
        game->rest = realloc(game->rest, game->rest_room);
    }
    memcpy(game->rest, data, size);
    game->rest_size = size;
}

static void read_game(struct game *game) {
    static unsigned char room[READ_ROOM];
    for (;;) {
        size_t size = game->rest_size, taken = 0;
        if (size) memcpy(room, game->rest, size);
        game->rest_size = 0;
        long got = read_some(game, room + size, READ_ROOM - size);
        size += (size_t)got;
        read_at = now();
        while (taken < size && game->stage != DEAF) {
            size_t frame = protocol->parse(game, room + taken, size - taken);
            if (!frame) break;
            taken += frame;
        }
        if (taken < size && game->stage != DEAF) keep_rest(game, room + taken, size - taken);
        if (got == 0 || (!game->tls && size < READ_ROOM)) return;
    }
}

static void happened(const struct epoll_event *event) {
    struct game *game = event->data.ptr;
    if (game->stage == CONNECTING) {
        if (event->events & (EPOLLERR | EPOLLHUP)) fail("nobody listens on port %d", ports[game->index % port_count]);
        if (!(event->events & EPOLLOUT)) return;
        if (use_tls) begin_tls(game);
        else connected(game);
    }
    if (game->stage == HANDSHAKING_TLS) go_on_with_tls(game);
    if (game->stage > HANDSHAKING_TLS && event->events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_game(game);
}

static void turn(int milliseconds) {
    static struct epoll_event events[4096];
    static uint64_t last_heard, last_time;
    static int last_joined;
    int count = epoll_wait(poller, events, 4096, milliseconds);
    for (int i = 0; i < count; i++) happened(&events[i]);
    if (heard != last_heard || joined != last_joined || !(in_flight || connecting) || !last_time) {
        last_heard = heard;
        last_joined = joined;
        last_time = now();
    } else if (now() - last_time > PATIENCE)
        fail("nothing happens any more");
}

/* What is measured. */

static void join_all(void) {
    struct snapshot before = snapshot();
    connect_more();
    while (joined < game_count) turn(100);
    struct snapshot after = snapshot();
    printf("{\"games\":%d,\"joins_s\":%.1f,\"join_cpu_us\":%.2f,\"join_p50\":%.0f,\"join_p99\":%.0f", game_count,
           game_count * 1e9 / (double)(after.at - before.at), (double)(after.cpu - before.cpu) / 1e3 / game_count,
           percentile(&join_times, .5), percentile(&join_times, .99));
}

static void idle(void) {
    struct snapshot before = snapshot();
    while (now() < before.at + (uint64_t)(idle_seconds * 1e9)) turn(20);
    struct snapshot after = snapshot();
    printf(",\"idle_cpu_percent\":%.3f,\"heartbeats\":%lu",
           100.0 * (double)(after.cpu - before.cpu) / (double)(after.at - before.at), (unsigned long)heartbeats);
}

static void saturate_for(double length) {
    uint64_t end = now() + (uint64_t)(length * 1e9);
    while (now() < end) turn(10);
}

/* Each message counts from when it was due: a server that stands still cannot hide it by not being asked. */
static void say_steadily_for(double length) {
    uint64_t begin = now(), end = begin + (uint64_t)(length * 1e9), number = 0;
    for (uint64_t time; (time = now()) < end;) {
        uint64_t due;
        while ((due = begin + (uint64_t)((double)number * 1e9 / rate)) <= time) {
            if (in_flight >= IDS / 2) fail("the server cannot keep up with %.0f messages a second", rate);
            say_next(due);
            number++;
        }
        time = now();
        /* The clock of epoll is too coarse for what is due soon: that is waited for by asking again and again. */
        turn(due > time + 2000000 ? 1 : 0);
    }
}

static void drain(void) {
    while (in_flight) turn(10);
}

static void measure(void) {
    int stalled = stalled_every ? game_count / stalled_every : 0;
    expected = acknowledged ? 1 : (uint64_t)(game_count - stalled - !protocol->echoes);
    if (!expected) fail("nobody would hear anything");
    refilling = window > 0;
    for (int i = 0; i < window; i++) say_next(now());
    void (*load)(double) = refilling ? saturate_for : say_steadily_for;
    load(warm_up);
    memset(&latencies, 0, sizeof latencies);
    memset(&across, 0, sizeof across);
    struct snapshot before = snapshot();
    load(seconds);
    /* On a busy machine nothing may arrive in a short time, which measures nothing: go on until something does. */
    while (heard == before.heard) turn(10);
    struct snapshot after = snapshot();
    refilling = false;
    drain();
    double took = (double)(after.at - before.at) / 1e9, deliveries = (double)(after.heard - before.heard);
    printf(",\"deliveries_s\":%.1f,\"messages_s\":%.1f,\"cpu_us\":%.3f,\"cpu_percent\":%.1f,\"load_percent\":%.1f",
           deliveries / took, (double)(after.said - before.said) / took, (double)(after.cpu - before.cpu) / 1e3 / deliveries,
           (double)(after.cpu - before.cpu) / 1e7 / took, (double)(after.own_cpu - before.own_cpu) / 1e7 / took);
    if (engine)
        printf(",\"all_cpu_us\":%.3f",
               (double)(after.cpu - before.cpu + after.engine_cpu - before.engine_cpu) / 1e3 / deliveries);
    if (game_count > 1)
        printf(",\"across_p50\":%.1f,\"across_p99\":%.1f", percentile(&across, .5), percentile(&across, .99));
    printf(",\"p50\":%.1f,\"p90\":%.1f,\"p99\":%.1f,\"p999\":%.1f", percentile(&latencies, .5), percentile(&latencies, .9),
           percentile(&latencies, .99), percentile(&latencies, .999));
}

/* Options. */

static void choose_protocol(const char *name) {
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (!strcmp(protocols[i].name, name)) protocol = &protocols[i];
    if (!protocol || strcmp(protocol->name, name)) fail("no protocol %s", name);
}

/* Numbers with commas between them; returns how many. */
static int numbers(char *text, int *found) {
    int count = 0;
    for (char *one = strtok(text, ","); one; one = strtok(NULL, ",")) {
        if (count == MOST_SERVERS) fail("more than %d servers", MOST_SERVERS);
        found[count++] = atoi(one);
    }
    return count;
}

static void read_credentials(const char *path) {
    FILE *file = fopen(path, "r");
    if (!file) fail("%s: %s", path, strerror(errno));
    credentials = calloc((size_t)game_count, sizeof *credentials);
    for (int i = 0; i < game_count; i++)
        if (fscanf(file, "%63s %63s", credentials[i][0], credentials[i][1]) != 2) fail("%s: not enough games", path);
    fclose(file);
}

int main(int count, char **arguments) {
    const char *file = NULL;
    protocol = &protocols[0];
    for (int option; (option = getopt(count, arguments, "p:n:f:P:s:e:m:aAx:b:c:W:Tzw:t:r:i:")) != -1;) switch (option) {
        case 'p': port_count = numbers(optarg, ports); break;
        case 'n': game_count = atoi(optarg); break;
        case 'f': file = optarg; break;
        case 'P': choose_protocol(optarg); break;
        case 's': server_count = numbers(optarg, servers); break;
        case 'e': engine = atoi(optarg); break;
        case 'm': speakers = atoi(optarg); break;
        case 'a': acknowledged = true; break;
        case 'A': answered = true; break;
        case 'x': stalled_every = atoi(optarg); break;
        case 'b': message_size = atoi(optarg); break;
        case 'c': at_once = atoi(optarg); break;
        case 'W': warm_up = atof(optarg); break;
        case 'T': use_tls = true; break;
        case 'z': use_deflate = true; break;
        case 'w': window = atoi(optarg); break;
        case 't': seconds = atof(optarg); break;
        case 'r': rate = atof(optarg); break;
        case 'i': idle_seconds = atof(optarg); break;
        default: return 2;
        }
    if (acknowledged) speakers = game_count;
    if (game_count < 1 || port_count < 1 || speakers < 1 || speakers > game_count || window >= IDS / 2 || message_size < MARK_SIZE
        || message_size >= MESSAGE_ROOM / 2)
        fail("these numbers do not fit together");
    if (file) read_credentials(file);
    else if (protocol->name[0] == 'w' || protocol->name[0] == 'l') fail("-f is missing");
    signal(SIGPIPE, SIG_IGN);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    games = calloc((size_t)game_count, sizeof *games);
    for (int i = 0; i < game_count; i++) games[i].index = i;
    poller = epoll_create1(EPOLL_CLOEXEC);
    long before = server_kib();
    join_all();
    if (idle_seconds > 0) idle();
    long after = server_kib();
    printf(",\"kib\":%.3f", (double)(after - before) / game_count);
    if (window > 0 || rate > 0) measure();
    printf("}\n");
    return 0;
}
