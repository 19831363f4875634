using Broker.Gateway.Embedding;
using Broker.Gateway.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Gateway.Tests.Embedding;

/// <summary>A silo that cannot go on stops the application that has it inside, and does not replace its process.</summary>
public sealed class EmbeddedFatalTests
{
    [Fact]
    public void Application_is_stopped_once_with_exit_code_1_and_no_client_is_taken_any_more()
    {
        var state = new BrokerState();
        var lifetime = new Lifetime();
        var fatal = new EmbeddedFatal(state, lifetime, NullLogger.Instance);
        try
        {
            fatal.OnFatalException(context: "declared dead");
            fatal.OnFatalException(context: "declared dead");

            Assert.Equal(1, Environment.ExitCode);
        }
        finally
        {
            Environment.ExitCode = 0;
        }

        Assert.Equal(1, lifetime.Stops);
        Assert.True(state is { IsStopping: true, IsClosed: true });
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        public int Stops { get; private set; }

        public CancellationToken ApplicationStarted => default;

        public CancellationToken ApplicationStopping => default;

        public CancellationToken ApplicationStopped => default;

        public void StopApplication() => Stops++;
    }
}
