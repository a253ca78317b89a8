/*
 * A client of the gossip network for old code bases: C89, one file, no library.
 *
 *     gossip_open(host, port, client_id, client_secret)   call it at the start, and again some time after a disconnect
 *     gossip_poll()                                       call it once a pulse; it never blocks
 *     gossip_send(channel, player, text)                  call it when a player says something
 *     gossip_heard(channel, who, text)                    you write this one: show the message to your players
 *
 * See README.rst in this directory. Compile it with -DGOSSIP_MAIN to get a program to try it with.
 */
#define _POSIX_C_SOURCE 200112L
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#define GOSSIP_LINE 1024 /* the maximum length of a line from the network, unless you set OPTION maxline */

void gossip_heard(const char *channel, const char *who, const char *text);

static int gossip_fd = -1;
static char gossip_in[GOSSIP_LINE + 1];
static size_t gossip_have;

void gossip_close(void)
{
    if (gossip_fd >= 0)
        close(gossip_fd);
    gossip_fd = -1;
    gossip_have = 0;
}

/* Write a whole line. If the connection does not take it, close it: by then it is some hundred lines behind. */
static void gossip_write(const char *line)
{
    size_t length = strlen(line);

    if (gossip_fd >= 0 && send(gossip_fd, line, length, MSG_NOSIGNAL) != (ssize_t)length)
        gossip_close();
}

/*
 * Connect and log in; return 0 if that fails, and say why on stderr, where MUDs log. This can block: call it at the start,
 * or in a child process. Whether the network takes the login shows later: gossip_poll says it on stderr.
 */
int gossip_open(const char *host, const char *port, const char *id, const char *secret)
{
    struct addrinfo hints, *found, *each;
    const char *why = "it has no address";
    char line[GOSSIP_LINE];
    int failed;

    gossip_close();
    if (strlen(id) + strlen(secret) > GOSSIP_LINE / 2) {
        fprintf(stderr, "gossip: the client_id and the secret are too long\n");
        return 0;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    failed = getaddrinfo(host, port, &hints, &found);
    if (failed != 0) {
        fprintf(stderr, "gossip: cannot connect to %s %s: %s\n", host, port, gai_strerror(failed));
        return 0;
    }
    /* A name can have several addresses, of which some do not answer: localhost often is ::1 and 127.0.0.1. */
    for (each = found; each != NULL && gossip_fd < 0; each = each->ai_next) {
        gossip_fd = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
        if (gossip_fd < 0 || connect(gossip_fd, each->ai_addr, each->ai_addrlen) < 0) {
            why = strerror(errno);
            gossip_close();
        }
    }
    freeaddrinfo(found);
    if (gossip_fd < 0) {
        fprintf(stderr, "gossip: cannot connect to %s %s: %s\n", host, port, why);
        return 0;
    }
    fcntl(gossip_fd, F_SETFL, O_NONBLOCK);
    sprintf(line, "LOGIN %s %s My MUD\nOPTION double={ charset=latin1\nSUBSCRIBE gossip\n", id, secret);
    gossip_write(line);
    return gossip_fd >= 0;
}

/* Send a player's message. In a name, write %20 for a blank, %25 for a per cent sign and %40 for an at sign. */
void gossip_send(const char *channel, const char *player, const char *text)
{
    char line[GOSSIP_LINE];

    if (strlen(channel) + strlen(player) + strlen(text) + 16 < sizeof line && strpbrk(text, "\r\n") == NULL) {
        sprintf(line, "SEND %s %s %s\n", channel, player, text);
        gossip_write(line);
    }
}

/* Handle one line. Ignore unknown lines, because the network will have new ones. */
static void gossip_line(char *line)
{
    char channel[32], who[GOSSIP_LINE + 1], pong[64];
    int text = 0;

    if (sscanf(line, "MSG %31s %1024s %n", channel, who, &text) == 2 && text > 0)
        gossip_heard(channel, who, line + text);
    else if (strncmp(line, "PING ", 5) == 0 && strlen(line) < sizeof pong) {
        sprintf(pong, "PONG %s\n", line + 5);
        gossip_write(pong);
    } else if (sscanf(line, "OK LOGIN %31s", channel) == 1)
        fprintf(stderr, "gossip: joined as %s\n", channel);
    else if (strstr(line, "ERR ") == line || strncmp(line, "BYE ", 4) == 0)
        fprintf(stderr, "gossip: %s\n", line);
}

/* Read and handle all lines that have arrived; return 0 when the connection is lost. */
int gossip_poll(void)
{
    char *end;
    ssize_t got;

    if (gossip_fd < 0)
        return 0;
    got = recv(gossip_fd, gossip_in + gossip_have, GOSSIP_LINE - gossip_have, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        gossip_close();
        return 0;
    }
    if (got > 0)
        gossip_have += (size_t)got;
    while (gossip_fd >= 0 && (end = memchr(gossip_in, '\n', gossip_have)) != NULL) {
        size_t length = (size_t)(end - gossip_in) + 1;
        char line[GOSSIP_LINE + 1];

        memcpy(line, gossip_in, length);
        line[length - 1] = '\0';
        line[strcspn(line, "\r")] = '\0';
        memmove(gossip_in, gossip_in + length, gossip_have -= length);
        gossip_line(line);
    }
    if (gossip_have == GOSSIP_LINE)
        gossip_have = 0; /* longer than any line: drop it */
    return gossip_fd >= 0;
}

#ifdef GOSSIP_MAIN
/* Reads "player text" from its standard input, and prints messages. */
#include <stdlib.h>
#include <sys/select.h>

void gossip_heard(const char *channel, const char *who, const char *text)
{
    printf("[%s] %s: %s\n", channel, who, text);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[512], player[64];
    int text = 0, open_input = 1;

    if (argc != 5) {
        fprintf(stderr, "usage: gossip HOST PORT CLIENT_ID CLIENT_SECRET\n");
        return EXIT_FAILURE;
    }
    if (!gossip_open(argv[1], argv[2], argv[3], argv[4]))
        return EXIT_FAILURE;
    fprintf(stderr, "Connected. Type the name of a player and a text, for example: Ana hello\n");
    setvbuf(stdin, NULL, _IONBF, 0);
    while (gossip_poll()) { /* the pulse of this MUD */
        struct timeval pulse;
        fd_set input;

        pulse.tv_sec = 0;
        pulse.tv_usec = 250000;
        FD_ZERO(&input);
        if (open_input)
            FD_SET(0, &input);
        if (select(1, &input, NULL, NULL, &pulse) > 0) {
            if (fgets(line, sizeof line, stdin) == NULL)
                open_input = 0;
            else {
                line[strcspn(line, "\n")] = '\0';
                if (sscanf(line, "%63s %n", player, &text) == 1 && text > 0)
                    gossip_send("gossip", player, line + text);
            }
        }
    }
    fprintf(stderr, "gossip: the connection has ended\n");
    return EXIT_FAILURE;
}
#endif
