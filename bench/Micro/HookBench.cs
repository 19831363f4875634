using System.Diagnostics;
using System.Globalization;
using System.Text;
using Broker.Grains.Hooks;
using Broker.Grains.Messages;
using Broker.Grains.Options;
using Broker.Protocol;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Broker.Micro;

/// <summary>
/// What hooks add to a publish: the question whether there are any, and a call when there is one.
/// <code>dotnet run -c Release --project bench/Micro -- hooks</code>
/// </summary>
public sealed class HookBench : IBench
{
    private const int Questions = 200_000_000;
    private const int Calls = 200_000;

    private static readonly HookClient Client = new("client", null, null);

    public string Name => "hooks";

    public string Description => "Cost of hooks for a publish: none registered, one that never blocks, one that may.";

    public int Run(string[] args)
    {
        var none = FoldsOf(null);
        var hub = none.Services.GetRequiredService<EventHub>();
        var message = Message();
        for (var round = 0; round < 3; round++)
        {
            Measure("loop of the measurement", Questions, static () => CountNothing());
            Measure("no hook: is a publish asked about?", Questions, () => CountPublish(none.Folds));
            Measure("no hook: is a delivery told?", Questions, () => CountEvents(hub));
            Measure("one hook that never blocks", Calls, () => Ask(FoldsOf(new Passing(true)).Folds, message));
            Measure("one hook that may block, one call at a time", Calls, () => Ask(FoldsOf(new Passing(false)).Folds, message));
        }

        return 0;
    }

    private static (HookFolds Folds, IServiceProvider Services) FoldsOf(IHook? hook)
    {
        var services = new ServiceCollection();
        if (hook is not null)
        {
            services.AddHook(hook);
        }

        var provider = services
            .AddSingleton(new HookMetrics())
            .AddSingleton(new HookOptions())
            .AddSingleton(s => new HookCalls(s.GetRequiredService<HookOptions>(), s.GetRequiredService<HookMetrics>(), NullLogger<HookCalls>.Instance))
            .AddSingleton(s => new EventHub(s, [], s.GetRequiredService<HookCalls>(), TimeProvider.System))
            .BuildServiceProvider();

        // The ids are for messages that a hook makes retained, which this one does not.
        return (new HookFolds(provider.GetRequiredService<HookCalls>(), null!, provider), provider);
    }

    private static ApplicationMessage Message()
    {
        var topic = Encoding.UTF8.GetBytes("building/7/floor/3/room/12/temperature");
        return new ApplicationMessage([.. topic, .. new byte[64]], topic.Length, 0) { Qos = QualityOfService.AtLeastOnce };
    }

    private static int CountNothing()
    {
        var count = 0;
        for (var i = 0; i < Questions; i++)
        {
            count += i & 1;
        }

        return count;
    }

    private static int CountPublish(HookFolds folds)
    {
        var count = 0;
        for (var i = 0; i < Questions; i++)
        {
            count += folds.HasPublish ? 1 : i & 1;
        }

        return count;
    }

    private static int CountEvents(EventHub hub)
    {
        var count = 0;
        for (var i = 0; i < Questions; i++)
        {
            count += hub.Has(BrokerEventKind.MessageDelivered) ? 1 : i & 1;
        }

        return count;
    }

    private static int Ask(HookFolds folds, ApplicationMessage message)
    {
        var count = 0;
        for (var i = 0; i < Calls; i++)
        {
            var answer = folds.PublishAsync(Client, message);
            count += (answer.IsCompleted ? answer.Result : answer.AsTask().GetAwaiter().GetResult()).Message is null ? 0 : 1;
        }

        return count;
    }

    private static void Measure(string what, int times, Func<int> run)
    {
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        var cpu = Process.GetCurrentProcess().TotalProcessorTime;
        var result = run();
        var ns = (Process.GetCurrentProcess().TotalProcessorTime - cpu).TotalNanoseconds / times;
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / (double)times;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-45} {ns,9:F2} ns CPU {bytes,8:F1} B  ({result})"));
    }

    private sealed class Passing(bool neverBlocks) : IPublishHook
    {
        public bool NeverBlocks => neverBlocks;

        public ValueTask<PublishVerdict> OnPublishAsync(HookClient client, HookMessage message, CancellationToken cancellationToken) =>
            new(PublishVerdict.Continue(message));
    }
}
