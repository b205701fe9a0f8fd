/*
 * TLS: whom a request trusts, and how it shows who it is. Against
 * openssl(1) as the server, with certificates made for the occasion.
 */
#include "../../lib/fetch.c"
#include "../../lib/fetch_answer.c"
#include "../../lib/fetch_hub.c"
#include "../../lib/fetch_options.c"

#include "fetch_trial.h"

static char tls_dir[] = "/tmp/dcm-fetch-tls.XXXXXX";
static char tls_ca[64], tls_cert[64], tls_key[64];

static pid_t
tls_run(int out, const char *command)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chdir(tls_dir) == 0 && dup2(out, STDOUT_FILENO) >= 0)
			execl("/bin/sh", "sh", "-c", command, (char *)NULL);
		_exit(127);
	}
	return pid;
}

static void
tls_make(void)
{
	static bool made;
	int status = -1;

	if (made)
		return;
	CHECK(mkdtemp(tls_dir) != NULL);
	waitpid(tls_run(STDERR_FILENO,
	    "exec 2>make.log; openssl req -x509 -newkey rsa:2048 -nodes "
	    "-days 2 -keyout ca.key -out ca.pem -subj /CN=test-ca && "
	    "printf 'subjectAltName=IP:127.0.0.1\\n' >ext && "
	    "openssl req -newkey rsa:2048 -nodes -keyout own.key "
	    "-out own.csr -subj /CN=127.0.0.1 && openssl x509 -req "
	    "-in own.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 "
	    "-extfile ext -out own.pem"), &status, 0);
	CHECK_INT(status, 0);
	snprintf(tls_ca, sizeof(tls_ca), "%s/ca.pem", tls_dir);
	snprintf(tls_cert, sizeof(tls_cert), "%s/own.pem", tls_dir);
	snprintf(tls_key, sizeof(tls_key), "%s/own.key", tls_dir);
	made = true;
}

__attribute__((destructor)) static void
tls_clean(void)
{
	char command[100];

	snprintf(command, sizeof(command), "rm -rf '%s'", tls_dir);
	if (strstr(tls_dir, "XXXXXX") == NULL &&
	    system(command) != 0)
		perror("rm");
}

/* Serves own.pem as a file; the port is in what it says. */
static pid_t
tls_serve(const char *more, int *port)
{
	char command[300], said[512], *at;
	int pipes[2];
	size_t len = 0;
	pid_t pid;

	tls_make();
	CHECK(pipe(pipes) == 0);
	snprintf(command, sizeof(command), "exec openssl s_server -accept "
	    "127.0.0.1:0 -cert own.pem -key own.key -WWW %s 2>serve.log",
	    more);
	pid = tls_run(pipes[1], command);
	close(pipes[1]);
	do {
		ssize_t n = read(pipes[0], said + len,
		    sizeof(said) - 1 - len);

		CHECK(n > 0);
		len += (size_t)n;
		said[len] = '\0';
		at = strstr(said, "127.0.0.1:");
	} while (at == NULL || strchr(at, '\n') == NULL);
	*port = atoi(at + 10);
	CHECK(*port > 0);
	return pid;
}

static enum fetch_end
tls_get(int port, struct fetch_request r, struct trial *t)
{
	char url[64];
	enum fetch_end end;

	snprintf(url, sizeof(url), "https://127.0.0.1:%d/own.pem", port);
	r.timeout_ms = 10000;
	end = trial_get(t, url, r);
	return end;
}

UNIT("a certificate that nobody vouches for is refused")
{
	struct trial t;
	int port;
	pid_t pid = tls_serve("", &port);

	CHECK_INT(tls_get(port, (struct fetch_request){0}, &t),
	    FETCH_UNREACHABLE);
	CHECK(strstr(t.detail, "certificate") != NULL);
	trial_close(&t);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

UNIT("with its CA given it is trusted")
{
	struct trial t;
	int port;
	pid_t pid = tls_serve("", &port);

	CHECK_INT(tls_get(port, (struct fetch_request){
	    .ca_file = tls_ca }, &t), FETCH_DONE);
	CHECK(strstr(buf_text(&t.body), "BEGIN CERTIFICATE") != NULL);
	trial_close(&t);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

UNIT("a server that asks for a certificate gets the one that was given")
{
	struct trial t;
	int port;
	pid_t pid = tls_serve("-Verify 1 -verify_return_error -CAfile ca.pem",
	    &port);

	CHECK(tls_get(port, (struct fetch_request){
	    .ca_file = tls_ca }, &t) != FETCH_DONE);
	trial_close(&t);
	CHECK_INT(tls_get(port, (struct fetch_request){ .ca_file = tls_ca,
	    .cert_file = tls_cert, .key_file = tls_key }, &t), FETCH_DONE);
	trial_close(&t);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

UNIT("a file that is not there is told, not passed over")
{
	struct trial t;
	int port;
	pid_t pid = tls_serve("", &port);

	CHECK_INT(tls_get(port, (struct fetch_request){
	    .ca_file = "/nonexistent/ca.pem" }, &t), FETCH_UNREACHABLE);
	CHECK(t.detail[0] != '\0');
	trial_close(&t);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

UNIT_MAIN
