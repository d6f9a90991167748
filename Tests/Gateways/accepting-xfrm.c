/* Stands in for the kernel's half of NETLINK_XFRM, in the process that it is preloaded to: whatever SA and policy an
 * IKE daemon installs is accepted and remembered, and no packet is ever transformed. So the control plane of a gateway
 * runs on kernels without ESP, and in the same way on those that have it.
 *
 * Its sockets are socket pairs: what the daemon writes is answered at once at the other end. On standard error it keeps
 * count: "xfrm: + c0000001, 1 SAs, 3 policies".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { descriptors = 1024, capacity = 1 << 14 };
enum kind { sa = 1, policy };

/* What was installed: an SA by its destination and SPI, a policy by its selector and direction. */
struct entry {
    enum kind kind;
    __u32 spi_or_direction;
    union {
        xfrm_address_t destination;
        struct xfrm_selector selector;
    };
};

/* By the daemon's end: the end that answers come from, and 0 where there is no such socket. */
static int other_end[descriptors];
static struct entry entries[capacity];
static unsigned entry_count, counts[3];
static __u32 reserved_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define NEXT(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

static int end_for(int fd) { return fd >= 0 && fd < descriptors ? other_end[fd] : 0; }

static struct entry sa_entry(xfrm_address_t destination, __be32 spi)
{
    struct entry entry;
    memset(&entry, 0, sizeof entry);
    entry.kind = sa;
    entry.spi_or_direction = spi;
    entry.destination = destination;
    return entry;
}

static struct entry policy_entry(struct xfrm_selector selector, __u8 direction)
{
    struct entry entry;
    memset(&entry, 0, sizeof entry);
    entry.kind = policy;
    entry.spi_or_direction = direction;
    entry.selector = selector;
    return entry;
}

static int place_of(const struct entry *entry)
{
    for (unsigned place = 0; place < entry_count; place++)
        if (memcmp(&entries[place], entry, sizeof *entry) == 0) return (int)place;
    return -1;
}

static void note(char sign, const struct entry *entry)
{
    if (entry->kind == sa)
        dprintf(
            STDERR_FILENO, "xfrm: %c %08x, %u SAs, %u policies\n",
            sign, ntohl(entry->spi_or_direction), counts[sa], counts[policy]
        );
}

static int add(struct entry entry)
{
    if (place_of(&entry) >= 0) return -EEXIST;
    if (entry_count == capacity) return -ENOBUFS;
    entries[entry_count++] = entry;
    counts[entry.kind]++;
    note('+', &entry);
    return 0;
}

/* What is not there yet is added. */
static int update(struct entry entry) { return place_of(&entry) >= 0 ? 0 : add(entry); }

static int delete(struct entry entry)
{
    int place = place_of(&entry);
    if (place < 0) return entry.kind == sa ? -ESRCH : -ENOENT;
    entries[place] = entries[--entry_count];
    counts[entry.kind]--;
    note('-', &entry);
    return 0;
}

/* An SPI in the asked range that was not given before: an odd factor visits every number once. */
static __be32 reserve(const struct xfrm_userspi_info *wanted)
{
    __u32 span = wanted->max - wanted->min;
    __u32 step = reserved_count++ * 2654435761u;
    return htonl(wanted->min + (span == ~0u ? step : step % (span + 1)));
}

static void say(int end, const struct nlmsghdr *request, __u16 type, const void *body, __u32 size)
{
    unsigned char octets[NLMSG_SPACE(sizeof(struct xfrm_usersa_info))] = {0};
    struct nlmsghdr header = {
        .nlmsg_len = NLMSG_LENGTH(size),
        .nlmsg_type = type,
        .nlmsg_seq = request->nlmsg_seq,
        .nlmsg_pid = request->nlmsg_pid,
    };
    memcpy(octets, &header, sizeof header);
    memcpy(octets + NLMSG_HDRLEN, body, size);
    (void)!NEXT(write)(end, octets, header.nlmsg_len);
}

static int change(const struct nlmsghdr *request)
{
    const void *body = NLMSG_DATA(request);
    const struct xfrm_usersa_info *info = body;
    const struct xfrm_usersa_id *id = body;
    const struct xfrm_userpolicy_info *rule = body;
    const struct xfrm_userpolicy_id *rule_id = body;
    switch (request->nlmsg_type) {
    case XFRM_MSG_NEWSA: return add(sa_entry(info->id.daddr, info->id.spi));
    case XFRM_MSG_UPDSA: return update(sa_entry(info->id.daddr, info->id.spi));
    case XFRM_MSG_DELSA: return delete(sa_entry(id->daddr, id->spi));
    case XFRM_MSG_NEWPOLICY: return add(policy_entry(rule->sel, rule->dir));
    case XFRM_MSG_UPDPOLICY: return update(policy_entry(rule->sel, rule->dir));
    case XFRM_MSG_DELPOLICY: return delete(policy_entry(rule_id->sel, rule_id->dir));
    default: return 0;
    }
}

static void answer(int end, const struct nlmsghdr *request)
{
    const struct xfrm_usersa_id *id = NLMSG_DATA(request);
    struct xfrm_usersa_info info = {0};
    struct nlmsgerr outcome = {.error = 0, .msg = *request};
    switch (request->nlmsg_type) {
    case XFRM_MSG_ALLOCSPI:
        info.id.spi = reserve(NLMSG_DATA(request));
        say(end, request, XFRM_MSG_NEWSA, &info, sizeof info);
        return;
    case XFRM_MSG_GETSA: {
        struct entry wanted = sa_entry(id->daddr, id->spi);
        if (place_of(&wanted) >= 0) {
            info.id.spi = id->spi;
            say(end, request, XFRM_MSG_NEWSA, &info, sizeof info);
            return;
        }
        outcome.error = -ESRCH;
        break;
    }
    default: outcome.error = change(request);
    }
    if (outcome.error || request->nlmsg_flags & NLM_F_ACK) say(end, request, NLMSG_ERROR, &outcome, sizeof outcome);
}

int socket(int domain, int type, int protocol)
{
    if (domain != AF_NETLINK || protocol != NETLINK_XFRM) return NEXT(socket)(domain, type, protocol);
    int flags = type & (SOCK_CLOEXEC | SOCK_NONBLOCK), pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | flags, 0, pair) != 0) return -1;
    if (pair[0] >= descriptors) {
        close(pair[0]);
        close(pair[1]);
        errno = EMFILE;
        return -1;
    }
    other_end[pair[0]] = pair[1];
    return pair[0];
}

int close(int fd)
{
    int end = end_for(fd);
    if (end) {
        other_end[fd] = 0;
        NEXT(close)(end);
    }
    return NEXT(close)(fd);
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return end_for(fd) ? 0 : NEXT(bind)(fd, address, size);
}

ssize_t write(int fd, const void *octets, size_t count)
{
    int end = end_for(fd);
    const struct nlmsghdr *request = octets;
    if (!end) return NEXT(write)(fd, octets, count);
    if (count < sizeof *request || request->nlmsg_len > count) {
        errno = EINVAL;
        return -1;
    }
    pthread_mutex_lock(&lock);
    answer(end, request);
    pthread_mutex_unlock(&lock);
    return (ssize_t)count;
}

/* What the kernel sends comes from port 0. */
ssize_t recvfrom(int fd, void *octets, size_t count, int flags, struct sockaddr *address, socklen_t *size)
{
    if (!end_for(fd)) return NEXT(recvfrom)(fd, octets, count, flags, address, size);
    ssize_t received = NEXT(recvfrom)(fd, octets, count, flags, NULL, NULL);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    if (address && *size >= sizeof kernel) {
        memcpy(address, &kernel, sizeof kernel);
        *size = sizeof kernel;
    }
    return received;
}
