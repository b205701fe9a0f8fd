/*
 * The address guard, by address and by list.
 */
#include "../../worker/guard.c"

#include "unit.h"

static bool
allows(const char *list, const char *text)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct buf error = BUF_INIT(1000);
	struct guard guard;
	bool yes;

	if (!guard_read(&guard, list, &error))
		UNIT_FAIL("%s: %s", list, buf_text(&error));
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		yes = guard_allows(&guard, (const void *)&v4);
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		yes = guard_allows(&guard, (const void *)&v6);
	else
		UNIT_FAIL("%s is no address", text);
	guard_free(&guard);
	return yes;
}

static void
all(const char *list, const char *const *texts, bool want)
{
	for (; *texts != NULL; texts++)
		if (allows(list, *texts) != want)
			UNIT_FAIL("%s with \"%s\" is %s", *texts,
			    list != NULL ? list : "",
			    want ? "refused" : "allowed");
}

UNIT("public addresses are allowed, up to the edges of the special ones")
{
	all(NULL, (const char *const[]){ "1.0.0.0", "9.255.255.255",
	    "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
	    "128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255",
	    "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
	    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
	    "203.0.112.255", "203.0.114.0", "223.255.255.255",
	    "2606:4700::1111", "2001:200::1", "2001:db7::1", "2001:db9::1",
	    "3ffe:ffff::1", "2620:4f:8000::1", NULL }, true);
}

UNIT("special IPv4 addresses are refused, first and last")
{
	all(NULL, (const char *const[]){ "0.0.0.0", "0.255.255.255",
	    "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
	    "127.0.0.1", "127.255.255.255", "169.254.0.0",
	    "169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.1",
	    "192.0.2.255", "192.88.99.1", "192.168.0.0", "192.168.255.255",
	    "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.9",
	    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
	    NULL }, false);
}

UNIT("special IPv6 addresses are refused")
{
	all(NULL, (const char *const[]){ "::", "::1", "::127.0.0.1", "100::1",
	    "fc00::1", "fdff::1", "fe80::1", "febf::1", "fec0::1", "ff02::1",
	    "2001::1", "2001:1ff:ffff::1", "2001:db8::1", "3fff::1",
	    "3fff:fff::1", "5f00::1", "64:ff9b:1::1", "4000::1", "1fff::1",
	    NULL }, false);
}

UNIT("an IPv4 address carried by an IPv6 address is judged as itself")
{
	all(NULL, (const char *const[]){ "::ffff:127.0.0.1",
	    "::ffff:10.1.2.3", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
	    "2002:7f00:1::1", "2002:c0a8:101::", NULL }, false);
	all(NULL, (const char *const[]){ "::ffff:1.1.1.1",
	    "64:ff9b::1.1.1.1", "2002:101:101::1", NULL }, true);
}

UNIT("a list allows what it names and nothing beside it")
{
	const char *list = "127.0.0.1, 10.0.0.0/9 fd00:1::/32,::1";

	all(list, (const char *const[]){ "127.0.0.1", "10.127.255.255",
	    "::ffff:127.0.0.1", "64:ff9b::10.1.1.1", "::1", "fd00:1:2::3",
	    "1.1.1.1", NULL }, true);
	all(list, (const char *const[]){ "127.0.0.2", "10.128.0.0",
	    "fd00:2::1", "::2", "192.168.0.1", NULL }, false);
	all("::ffff:192.168.0.0/112", (const char *const[]){ "192.168.9.9",
	    "::ffff:192.168.1.1", NULL }, true);
	all("0.0.0.0/0 ::/0", (const char *const[]){ "127.0.0.1", "::1",
	    "fe80::1", NULL }, true);
	all("0.0.0.0/0", (const char *const[]){ "::1", NULL }, false);
}

UNIT("a wrong list is refused, and the word is named")
{
	static const char *const lists[] = {
		"10.0.0.0/33", "::/129", "10.0.0", "10.0.0.0/", "10.0.0.0/8x",
		"10.0.0.0/-1", "010.0.0.1", "localhost", "[::1]",
		"127.0.0.1;::1", "fe80::1%lo", "/8", "10.0.0.0/0008",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct buf error = BUF_INIT(1000);
		struct guard guard;

		if (guard_read(&guard, lists[i], &error))
			UNIT_FAIL("\"%s\" was taken", lists[i]);
		CHECK(strstr(buf_text(&error), lists[i]) != NULL);
		guard_free(&guard);
		buf_free(&error);
	}
}

UNIT("an empty list is fine, another family is not")
{
	struct sockaddr_storage other = { .ss_family = AF_UNIX };
	struct buf error = BUF_INIT(100);
	struct guard guard;

	CHECK(guard_read(&guard, " , ", &error));
	CHECK_INT(guard.count, 0);
	CHECK(!guard_allows(&guard, (const void *)&other));
	guard_free(&guard);
}

UNIT_MAIN
