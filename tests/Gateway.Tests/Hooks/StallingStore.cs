using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.ExceptionServices;
using Broker.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Tests.Hooks;

/// <summary>The broker's store, but that it takes no more work while it is <see cref="IsAway"/>.</summary>
[SuppressMessage("Performance", "CA1852", Justification = "DispatchProxy derives from it.")]
internal class StallingStore : DispatchProxy
{
    private readonly TaskCompletionSource _back = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IMessageStore _store = null!;
    private int _waiting;

    public bool IsAway { get; set; } = true;

    /// <summary>Publishers that have come to wait.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Puts one before the store that is registered.</summary>
    public static void AddTo(IServiceCollection services)
    {
        var make = services.Last(static service => service.ServiceType == typeof(IMessageStore)).ImplementationFactory!;
        services.AddSingleton(provider =>
        {
            var store = Create<IMessageStore, StallingStore>();
            ((StallingStore)(object)store)._store = (IMessageStore)make(provider);
            return store;
        });
    }

    public static StallingStore Of(InProcessBroker broker) => (StallingStore)(object)broker.Services.GetRequiredService<IMessageStore>();

    public void ComeBack()
    {
        IsAway = false;
        _back.SetResult();
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (IsAway && targetMethod!.Name == nameof(IMessageStore.WaitUntilDrainedAsync))
        {
            Interlocked.Increment(ref _waiting);
            return new ValueTask(_back.Task.WaitAsync((CancellationToken)args![0]!));
        }

        try
        {
            return targetMethod!.Invoke(_store, args);
        }
        catch (TargetInvocationException error)
        {
            ExceptionDispatchInfo.Capture(error.InnerException!).Throw();
            throw;
        }
    }
}
