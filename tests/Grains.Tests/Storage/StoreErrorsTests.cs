using Broker.Grains.Storage;
using Broker.Protocol;
using Xunit;

namespace Broker.Grains.Tests.Storage;

public sealed class StoreErrorsTests
{
    [Fact]
    public void Store_that_is_full_and_store_that_fails_have_codes_of_their_own()
    {
        Assert.Equal(ReasonCode.QuotaExceeded, StoreErrors.ReasonFor(new Full()));
        Assert.Equal(ReasonCode.ImplementationSpecificError, StoreErrors.ReasonFor(new StoreException("broken")));
        Assert.Equal(ReasonCode.ImplementationSpecificError, StoreErrors.ReasonFor(new IOException("broken")));
    }

    private sealed class Full() : StoreException("full")
    {
        public override bool IsFull => true;
    }
}
