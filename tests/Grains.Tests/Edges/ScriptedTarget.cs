using Broker.Grains.Edges;
using Xunit;

namespace Broker.Grains.Tests.Edges;

/// <summary>An edge's far end that answers when the test says so.</summary>
internal sealed class ScriptedTarget(int bytes = 10) : IEdgeTarget<int>, IDisposable
{
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _calls = new(0);
    private TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public List<(long Number, int[] Items)> Calls { get; } = [];

    public TaskCompletionSource<int[]> GivenBack { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsGone { get; set; }

    /// <summary>Answers each call at once instead of waiting for the test.</summary>
    public Func<IReadOnlyList<int>, long, Task>? Handler { get; set; }

    public int BytesOf(int item) => bytes;

    public Task SendAsync(IReadOnlyList<int> items, long number)
    {
        lock (_gate)
        {
            Calls.Add((number, [.. items]));
            if (Handler is not null)
            {
                return Handler(items, number);
            }

            _answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _calls.Release();
            return _answer.Task;
        }
    }

    public void Undeliverable(IReadOnlyList<int> items) => GivenBack.SetResult([.. items]);

    /// <summary>The next call, which then waits for its answer.</summary>
    public async Task<(long Number, int[] Items)> NextCallAsync()
    {
        Assert.True(await _calls.WaitAsync(TimeSpan.FromSeconds(10)), "No call came.");
        lock (_gate)
        {
            return Calls[^1];
        }
    }

    public void Dispose() => _calls.Dispose();

    public void Answer() => _answer.SetResult();

    public void Fail() => _answer.SetException(new TimeoutException("The test lets the call fail."));
}
