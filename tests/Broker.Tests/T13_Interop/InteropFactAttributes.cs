namespace Broker.Tests.T13_Interop;

/// <summary>
/// Needs a program that may be missing. On a developer's machine the test is skipped and says what to install; in CI it
/// runs and fails, so that a missing package cannot pass for a success.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ProgramTheoryAttribute : TheoryAttribute
{
    public ProgramTheoryAttribute(string program, string package)
    {
        var isPresent = ExternalProgram.Find(program) is not null;
        if (!isPresent && Environment.GetEnvironmentVariable("CI") is null)
        {
            Skip = $"{program} is not installed: apt-get install {package}";
        }
    }
}

/// <summary>Needs paho-mqtt for the system's Python; optional everywhere.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class PahoTheoryAttribute : TheoryAttribute
{
    public const string Python = "/usr/bin/python3";

    public PahoTheoryAttribute()
    {
        if (!Directory.Exists("/usr/lib/python3/dist-packages/paho"))
        {
            Skip = "paho-mqtt is not installed: apt-get install python3-paho-mqtt";
        }
    }
}
