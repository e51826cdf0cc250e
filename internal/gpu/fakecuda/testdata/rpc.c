/* How the library talks to the process that is the device. */
#include "fake.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

char reason[1024];
static int line = -1;

static void lost(const char *what) {
	fprintf(stderr, "fake libcuda: %s: %s\n", what, strerror(errno));
	abort();
}
static void put(const void *p, size_t n) {
	for (const char *c = p; n;) {
		ssize_t k = send(line, c, n, MSG_NOSIGNAL);
		if (k < 0 && errno == EINTR) continue;
		if (k <= 0) lost("send to the device");
		c += k; n -= k;
	}
}
static void take(void *p, size_t n) {
	for (char *c = p; n;) {
		ssize_t k = recv(line, c, n, 0);
		if (k < 0 && errno == EINTR) continue;
		if (k <= 0) lost("receive from the device");
		c += k; n -= k;
	}
}

void connect_device(void) {
	const char *program = getenv("FAKECUDA");
	int ends[2];
	if (!program || !*program) { fprintf(stderr, "fake libcuda: FAKECUDA names no program\n"); abort(); }
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)) lost("socketpair");
	pid_t child = fork();
	if (child < 0) lost("fork");
	if (!child) {
		int at = fcntl(ends[1], F_DUPFD, 10); /* dup2 of 3 to itself would leave it closing at exec */
		dup2(at, 3);
		close(at);
		execl(program, program, (char *)NULL);
		fprintf(stderr, "fake libcuda: FAKECUDA=%s: %s\n", program, strerror(errno));
		_exit(1);
	}
	close(ends[1]);
	line = ends[0];
}

int ask(uint64_t op, uint64_t a, uint64_t b, const void *text, uint64_t bytes, uint64_t *value, void *out, uint64_t n) {
	uint64_t q[4] = {op, a, b, bytes}, r[3];
	put(q, sizeof q);
	put(text, bytes);
	take(r, sizeof r);
	if (r[0]) {
		char rest[256];
		uint64_t k = r[2] < sizeof reason - 1 ? r[2] : sizeof reason - 1;
		take(reason, k);
		reason[k] = 0;
		for (uint64_t left = r[2] - k; left;) {
			uint64_t m = left < sizeof rest ? left : sizeof rest;
			take(rest, m);
			left -= m;
		}
		return 1;
	}
	if (value) *value = r[1];
	if (r[2] > n) { errno = EMSGSIZE; lost("the device says more than was asked for"); }
	take(out, r[2]);
	if (value && out) *value = r[2];
	return 0;
}
