using Broker.Gateway.Hosting;

namespace Broker.Gateway.Tests.Hosting;

/// <summary>Sockets are completed on the thread that learns of them, unless the operator wants it otherwise.</summary>
[Collection(ChangesProcess.Name)]
public sealed class RuntimeTuningTests : IDisposable
{
    // The runtime's name for it.
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    private readonly string? _before = Environment.GetEnvironmentVariable(InlineCompletions);

    public void Dispose() => Environment.SetEnvironmentVariable(InlineCompletions, _before);

    [Theory]
    [InlineData(null, "1")]
    [InlineData("0", "0")]
    [InlineData("1", "1")]
    public void Inline_completions_are_set_where_the_operator_has_not_said_what_they_are(string? given, string expected)
    {
        Environment.SetEnvironmentVariable(InlineCompletions, given);

        RuntimeTuning.Apply();

        Assert.Equal(expected, Environment.GetEnvironmentVariable(InlineCompletions));
    }
}
