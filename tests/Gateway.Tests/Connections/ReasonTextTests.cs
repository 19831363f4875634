using Broker.Gateway.Connections;
using Broker.Protocol;

namespace Broker.Gateway.Tests.Connections;

public sealed class ReasonTextTests
{
    [Fact]
    public void Every_refusal_has_words_of_its_own_and_nothing_else_has()
    {
        var refusals = Enum.GetValues<ReasonCode>().Where(static reason => reason >= ReasonCode.UnspecifiedError).ToList();

        Assert.All(refusals, static reason => Assert.False(string.IsNullOrEmpty(ReasonTexts.Of(reason)), $"{reason}"));
        Assert.Equal(refusals.Count, refusals.Select(ReasonTexts.Of).Distinct().Count());
        Assert.All(Enum.GetValues<ReasonCode>().Except(refusals), static reason => Assert.Null(ReasonTexts.Of(reason)));
    }
}
