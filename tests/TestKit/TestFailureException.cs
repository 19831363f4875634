namespace Broker.TestKit;

/// <summary>An expectation that was not met, with what was seen instead.</summary>
public sealed class TestFailureException : Exception
{
    public TestFailureException()
    {
    }

    public TestFailureException(string message)
        : base(message)
    {
    }

    public TestFailureException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
