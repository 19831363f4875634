namespace Broker.Tests.Support;

/// <summary>
/// A line for whoever watches a long test. Test hosts swallow the console, so the lines go to the file that test.sh
/// names in BROKER_TEST_PROGRESS and follows.
/// </summary>
public static class Progress
{
    private static readonly Lock Gate = new();

    public static void Report(string line)
    {
        if (Environment.GetEnvironmentVariable("BROKER_TEST_PROGRESS") is { Length: > 0 } file)
        {
            lock (Gate)
            {
                File.AppendAllText(file, $"  {line}\n");
            }
        }
    }
}
