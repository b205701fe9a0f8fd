/*
 * The address guard. An IPv6 address that only carries an IPv4 address
 * (mapped, NAT64, 6to4) is judged as that address.
 *
 * It knows no names and no ports.
 */
#include "guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_NETS_MAX = 1024 };

/* RFC 6890 and the IANA registries for special-purpose addresses; multicast
 * (RFC 5771) and what is reserved (RFC 1112). */
static const struct guard_net guard_special4[] = {
	{ { 0 }, AF_INET, 8 },			/* this network */
	{ { 10 }, AF_INET, 8 },			/* private, RFC 1918 */
	{ { 100, 64 }, AF_INET, 10 },		/* shared, RFC 6598 */
	{ { 127 }, AF_INET, 8 },		/* loopback */
	{ { 169, 254 }, AF_INET, 16 },		/* link-local, RFC 3927 */
	{ { 172, 16 }, AF_INET, 12 },		/* private */
	{ { 192, 0, 0 }, AF_INET, 24 },		/* protocol assignments */
	{ { 192, 0, 2 }, AF_INET, 24 },		/* documentation */
	{ { 192, 88, 99 }, AF_INET, 24 },	/* 6to4 relays, RFC 7526 */
	{ { 192, 168 }, AF_INET, 16 },		/* private */
	{ { 198, 18 }, AF_INET, 15 },		/* benchmarks, RFC 2544 */
	{ { 198, 51, 100 }, AF_INET, 24 },	/* documentation */
	{ { 203, 0, 113 }, AF_INET, 24 },	/* documentation */
	{ { 224 }, AF_INET, 4 },		/* multicast */
	{ { 240 }, AF_INET, 4 },		/* reserved, broadcast */
};

/* The only part of IPv6 that is handed out to be reached by everyone, and
 * what is special within it. */
static const struct guard_net guard_global6 = { { 0x20 }, AF_INET6, 3 };
static const struct guard_net guard_special6[] = {
	{ { 0x20, 0x01 }, AF_INET6, 23 },	/* protocols; Teredo */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, AF_INET6, 32 },	/* documentation */
	{ { 0x3f, 0xff }, AF_INET6, 20 },	/* documentation, RFC 9637 */
};

/* Where an IPv6 address carries an IPv4 address, and at which byte. */
static const struct {
	struct guard_net net;
	size_t at;
} guard_carriers[] = {
	{ { { [10] = 0xff, [11] = 0xff }, AF_INET6, 96 }, 12 },	/* mapped */
	{ { { 0, 0x64, 0xff, 0x9b }, AF_INET6, 96 }, 12 },	/* NAT64 */
	{ { { 0x20, 0x02 }, AF_INET6, 16 }, 2 },		/* 6to4 */
};

static bool
guard_holds(const struct guard_net *net, int family,
    const unsigned char *bytes)
{
	size_t whole = net->bits / 8;
	unsigned rest = net->bits % 8;

	if (net->family != family || memcmp(net->bytes, bytes, whole) != 0)
		return false;
	return rest == 0 ||
	    ((net->bytes[whole] ^ bytes[whole]) >> (8 - rest)) == 0;
}

static bool
guard_any(const struct guard_net *nets, size_t count, int family,
    const unsigned char *bytes)
{
	for (size_t i = 0; i < count; i++)
		if (guard_holds(&nets[i], family, bytes))
			return true;
	return false;
}

static bool
guard_allows4(const struct guard *guard, const unsigned char *bytes)
{
	size_t count = sizeof(guard_special4) / sizeof(guard_special4[0]);

	return guard_any(guard->nets, guard->count, AF_INET, bytes) ||
	    !guard_any(guard_special4, count, AF_INET, bytes);
}

static bool
guard_allows6(const struct guard *guard, const unsigned char *bytes)
{
	size_t special = sizeof(guard_special6) / sizeof(guard_special6[0]);
	size_t n = sizeof(guard_carriers) / sizeof(guard_carriers[0]);

	if (guard_any(guard->nets, guard->count, AF_INET6, bytes))
		return true;
	for (size_t i = 0; i < n; i++)
		if (guard_holds(&guard_carriers[i].net, AF_INET6, bytes))
			return guard_allows4(guard,
			    bytes + guard_carriers[i].at);
	return guard_holds(&guard_global6, AF_INET6, bytes) &&
	    !guard_any(guard_special6, special, AF_INET6, bytes);
}

bool
guard_allows(const struct guard *guard, const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof(v4));
		return guard_allows4(guard,
		    (const unsigned char *)&v4.sin_addr);
	case AF_INET6:
		memcpy(&v6, address, sizeof(v6));
		return guard_allows6(guard, v6.sin6_addr.s6_addr);
	default:
		return false;
	}
}

/* "10.0.0.0/8" or an address; a mapped network becomes the one it means. */
static bool
guard_parse(const char *text, struct guard_net *net)
{
	char address[INET6_ADDRSTRLEN];
	size_t n = strcspn(text, "/");
	const char *bits = text[n] == '/' ? text + n + 1 : NULL;
	unsigned most;

	if (n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = '\0';
	*net = (struct guard_net){ .family = AF_INET };
	if (inet_pton(AF_INET, address, net->bytes) != 1) {
		net->family = AF_INET6;
		if (inet_pton(AF_INET6, address, net->bytes) != 1)
			return false;
	}
	most = net->family == AF_INET ? 32 : 128;
	net->bits = most;
	if (bits != NULL) {
		if (*bits == '\0' || strlen(bits) > 3 ||
		    bits[strspn(bits, "0123456789")] != '\0')
			return false;
		net->bits = (unsigned)strtoul(bits, NULL, 10);
	}
	if (net->bits > most)
		return false;
	if (net->bits >= 96 &&
	    guard_holds(&guard_carriers[0].net, net->family, net->bytes)) {
		memmove(net->bytes, net->bytes + 12, 4);
		net->family = AF_INET;
		net->bits -= 96;
	}
	return true;
}

static bool
guard_add(struct guard *guard, const char *word, struct buf *error)
{
	struct guard_net net, *grown;

	if (!guard_parse(word, &net)) {
		buf_printf(error, "\"%s\" is neither an address nor a network "
		    "such as 10.0.0.0/8 or fd00::/8", word);
		return false;
	}
	grown = reallocarray(guard->nets, guard->count + 1, sizeof(net));
	if (grown == NULL || guard->count >= GUARD_NETS_MAX) {
		guard->nets = grown != NULL ? grown : guard->nets;
		buf_str(error, "too many networks");
		return false;
	}
	guard->nets = grown;
	guard->nets[guard->count++] = net;
	return true;
}

bool
guard_read(struct guard *guard, const char *list, struct buf *error)
{
	char *copy, *rest, *word;
	bool ok = true;

	*guard = (struct guard){ 0 };
	if (list == NULL)
		return true;
	copy = strdup(list);
	if (copy == NULL) {
		buf_str(error, "out of memory");
		return false;
	}
	rest = copy;
	while (ok && (word = strsep(&rest, ", \t")) != NULL)
		if (*word != '\0')
			ok = guard_add(guard, word, error);
	free(copy);
	return ok;
}

void
guard_free(struct guard *guard)
{
	free(guard->nets);
	*guard = (struct guard){ 0 };
}
