#pragma once

// UDP sockets, batches of datagrams and epoll: what glibc keeps in macros or behind _GNU_SOURCE, in plain structs.
// Each function returns 0, a count or a descriptor where it succeeds, and a negative errno where it fails.

#include <stdint.h>

/// An address as two halves of 128 bits in host order; IPv4 as ::ffff:a.b.c.d.
typedef struct {
    uint64_t high;
    uint64_t low;
} clinux_address;

/// What is known of one datagram beside its bytes.
typedef struct {
    clinux_address local;
    clinux_address remote;
    /// When the kernel took the datagram in, in nanoseconds of CLOCK_MONOTONIC; 0 where it did not say.
    uint64_t arrival;
    /// As it was on the wire: more than the buffer holds where `is_truncated`.
    uint32_t byte_count;
    uint16_t remote_port;
    uint8_t is_truncated;
    /// Whether it may leave together with its neighbours.
    uint8_t gathers;
} clinux_datagram;

/// An ICMP error, or an error of our own kernel, about a datagram that was sent.
typedef struct {
    /// Where the datagram was going.
    clinux_address destination;
    /// Who said so; zero where nobody did.
    clinux_address reporter;
    int32_t error_number;
    uint16_t destination_port;
    uint8_t icmp_type;
    uint8_t icmp_code;
} clinux_icmp_error;

// Clocks

/// CLOCK_MONOTONIC in nanoseconds.
uint64_t clinux_monotonic_clock(void);
/// CLOCK_REALTIME in nanoseconds.
uint64_t clinux_wall_clock(void);
/// The CPU time of the calling thread in nanoseconds.
uint64_t clinux_thread_clock(void);
/// Asks the kernel not to let the calling thread's sleeps run over (it adds 50 us of slack on its own).
void clinux_sharpen_timers(void);

// Sockets

/// Opens a nonblocking UDP socket that tells each datagram's local address, arrival and ICMP errors.
int clinux_udp_open(clinux_address address, uint16_t port, int receive_buffer, int send_buffer);
/// Has the kernel hand over datagrams of one length from one peer as one message, where it can; receivers of datagrams
/// of up to 65535 octets take it apart.
void clinux_udp_gather(int socket);
/// The port that a socket is bound to.
int clinux_udp_local_port(int socket);
/// The size of the receive buffer that the kernel granted.
int clinux_udp_receive_buffer(int socket);
/// Takes one error out of a socket's error queue: 1 when there was one, 0 when there was none.
int clinux_udp_take_error(int socket, clinux_icmp_error *_Nonnull error);
void clinux_close(int descriptor);

// Batches

/// Buffers for recvmmsg. NULL when out of memory.
typedef struct clinux_receiver clinux_receiver;
clinux_receiver *_Nullable clinux_receiver_create(int capacity, int datagram_capacity);
void clinux_receiver_destroy(clinux_receiver *_Nonnull receiver);
/// Receives what is there, up to the capacity in messages, and returns how many datagrams that are; 0 when nothing is.
int clinux_receiver_receive(clinux_receiver *_Nonnull receiver, int socket);
const clinux_datagram *_Nonnull clinux_receiver_datagram(const clinux_receiver *_Nonnull receiver, int index);
const uint8_t *_Nonnull clinux_receiver_bytes(const clinux_receiver *_Nonnull receiver, int index);
/// How many datagrams the socket has lost for want of room, as it last said.
uint32_t clinux_receiver_lost(const clinux_receiver *_Nonnull receiver);
/// In how many messages the kernel has given datagrams, all calls together.
uint64_t clinux_receiver_messages(const clinux_receiver *_Nonnull receiver);

/// Buffers for sendmmsg. NULL when out of memory. What gathers gives the kernel neighbours of one length that go the
/// same way as one message, and stops doing so where the kernel cannot take it apart.
typedef struct clinux_transmitter clinux_transmitter;
clinux_transmitter *_Nullable clinux_transmitter_create(int capacity, int byte_capacity, int gathers);
void clinux_transmitter_destroy(clinux_transmitter *_Nonnull transmitter);
/// Copies a datagram behind the others: 1, or 0 when there is no room. A local address of zero lets the kernel choose.
int clinux_transmitter_append(
    clinux_transmitter *_Nonnull transmitter, const void *_Nullable bytes, int byte_count, clinux_address local,
    clinux_address remote, uint16_t remote_port, int gathers);
/// Sends the datagrams from `first` up to `end`; returns how many went, or the error of the first one.
int clinux_transmitter_send(clinux_transmitter *_Nonnull transmitter, int socket, int first, int end);
/// Forgets the datagrams before `first`; those behind it stay, in their order.
void clinux_transmitter_drop(clinux_transmitter *_Nonnull transmitter, int first);
int clinux_transmitter_count(const clinux_transmitter *_Nonnull transmitter);
/// In how many messages the kernel has taken datagrams, all calls together.
uint64_t clinux_transmitter_messages(const clinux_transmitter *_Nonnull transmitter);
const clinux_datagram *_Nonnull clinux_transmitter_datagram(const clinux_transmitter *_Nonnull transmitter, int index);

// epoll

enum {
    clinux_readable = 1,
    clinux_writable = 2,
    clinux_failed = 4,
};

typedef struct {
    uint64_t token;
    uint32_t readiness;
} clinux_ready;

int clinux_epoll_create(void);
/// Adds a descriptor, or changes what is waited for when it is there already.
int clinux_epoll_watch(int epoll, int descriptor, uint64_t token, uint32_t readiness);
int clinux_epoll_forget(int epoll, int descriptor);
/// Waits until something is ready or the time is over; returns how many are, 0 for none. A negative time never is over.
int clinux_epoll_wait(int epoll, clinux_ready *_Nonnull ready, int capacity, int64_t nanoseconds);
int clinux_eventfd_create(void);
void clinux_eventfd_signal(int eventfd);
void clinux_eventfd_clear(int eventfd);
