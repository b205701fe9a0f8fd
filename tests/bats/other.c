/*
 * Another FastCGI program: the neighbour that a mount must leave in peace.
 * Says who it is and what it was asked for. Knows nothing of ours.
 */
#include <fcgiapp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>

int
main(void)
{
	FCGX_Request request;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
		return 1;
	while (FCGX_Accept_r(&request) == 0) {
		const char *uri = FCGX_GetParam("REQUEST_URI", request.envp);

		FCGX_FPrintF(request.out, "Content-Type: text/plain\r\n\r\n"
		    "the other program, asked for %s\n",
		    uri != NULL ? uri : "nothing");
		FCGX_Finish_r(&request);
	}
	return 0;
}
