/* Stands in for powershell.exe: prints the command line it was started with, in UTF-16, and ends with the
   digit in RECORDED_STATUS. Without a C library, so that it needs nothing but kernel32. */
#include <windows.h>

void entry(void)
{
    const WCHAR *line = GetCommandLineW();
    WCHAR status[8] = L"0";
    DWORD length = 0, written;
    while (line[length])
        length++;
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, length * sizeof *line, &written, 0);
    GetEnvironmentVariableW(L"RECORDED_STATUS", status, 8);
    ExitProcess(status[0] - L'0');
}
